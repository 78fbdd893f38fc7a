#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an interactive shell makes of a line when the tabulator is pressed.

complete.py bash|zsh SCRIPT LINE...   prints each line as it stands after one tabulator
"""
import os
import pty
import re
import select
import sys
import time


def read(fd, until, seconds=20):
    """All that comes until `until` does, or until nothing more comes for a while."""
    got = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], 0.4 if until is None else 0.1)
        if ready:
            try:
                got += os.read(fd, 4096)
            except OSError:
                break
        elif until is None:
            break
        if until is not None and until in got:
            break
    return got


def plain(data):
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\x00\x07\r]", "", data.decode(errors="replace"))
    while "\b" in text:  # what was written over
        text = re.sub(r".?\x08", "", text, count=1)
    return text


def main():
    shell, script, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
    argv = ["bash", "--norc", "--noprofile", "-i"] if shell == "bash" else ["zsh", "-f", "-i"]
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", PS1="$ ", COLUMNS="200", HISTFILE="/dev/null")
        os.execvp(argv[0], argv)
    if shell == "bash":
        setup = "bind 'set bell-style none'; . '%s'" % script
    else:
        setup = "unsetopt zle_bracketed_paste prompt_sp; fpath=('%s' $fpath); autoload -Uz compinit; compinit -u -D" \
            % os.path.dirname(script)
    os.write(fd, (setup + "; echo rea''dy\n").encode())
    read(fd, b"ready\r\n")
    read(fd, None, 2)
    for line in lines:
        os.write(fd, line.encode())
        read(fd, line.encode())
        os.write(fd, b"\t")
        got = read(fd, None, 10)
        print(line + plain(got).split("\n")[-1] if "\n" not in plain(got) else plain(got))
        os.write(fd, b"\x15")
        read(fd, None, 2)
    os.write(fd, b"exit\n")
    read(fd, None, 2)
    os.close(fd)
    os.waitpid(pid, 0)


main()
