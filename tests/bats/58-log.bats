#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck disable=SC2016 # what the inner shell is to expand
# The log: a line an event with the attachment's id, levels, the journal's fields, and what a
# journald that hangs costs. journald is played by a program that binds its sockets, in a
# mount namespace of the daemon's own.

load bed
load expect

setup_file() { bed_make; }
teardown_file() { bed_remove; }

setup() {
	bed_container C
	export C
}

teardown() {
	detach "$C" || true
	bed_kill "$C"
	bed_until 5 bed_no_core
}

conf_log() { printf '{"cniVersion": "1.0.0", "name": "n", "type": "cni-passt", "log": %s}\n' "$1"; }
kill_engine() { kill -9 "$(bed_engine "$C")"; }

@test "log: in a file: each line with time, id, process and level; an event each" {
	log=$BED_DIR/tmp/log
	conf_log '{"target": "'"$log"'"}' | cni ADD "c$C" "/proc/$C/ns/net" eth0 > /dev/null
	kill_engine
	bed_until 5 grep -q 'running again' "$log"
	detach "$C"
	bed_until 5 grep -q 'ending' "$log"
	same "lines of another form" "$(grep -cvE "^[0-9T:-]+Z c$C@eth0 (main|engine|nsagent) (error|warn|info): " "$log")" 0
	grep -q "main info: attached container=c$C network=n addresses=" "$log" || die "$(cat "$log")"
	same "mode" "$(stat -c %a "$log")" 600
}

@test "log: levels: error says less than info, debug more" {
	for level in error info debug; do
		log=$BED_DIR/tmp/log.$level
		conf_log '{"level": "'$level'", "target": "'"$log"'"}' | cni ADD "c$C" "/proc/$C/ns/net" eth0 > /dev/null
		kill_engine
		bed_until 5 bed_in "$C" ping -c 1 -W 1 "$PEER4" > /dev/null
		detach "$C"
		bed_until 5 bed_no_core
	done
	! grep -q ' info: \| debug: ' "$BED_DIR/tmp/log.error" || die "$(cat "$BED_DIR/tmp/log.error")"
	grep -q ' info: ' "$BED_DIR/tmp/log.info" || die "nothing"
	! grep -q ' debug: ' "$BED_DIR/tmp/log.info" || die "$(cat "$BED_DIR/tmp/log.info")"
}

# attach_journal TARGET: with a /run/systemd/journal that is ours, and a /dev/log that leads there
attach_journal() {
	conf_log "{\"target\": \"$1\"}" > "$BED_DIR/tmp/journal.conf"
	mkdir -p "$BED_DIR/dev"
	bed_host unshare -m bash -c '
		mount -t tmpfs -o mode=0755,dev none "$1/dev" && mkdir "$1/dev/net" || exit 1
		for f in null zero random urandom net/tun; do : > "$1/dev/$f" && mount --bind "/dev/$f" "$1/dev/$f"; done
		ln -s /run/systemd/journal/dev-log "$1/dev/log"
		mkdir -p /run/systemd/journal 2> /dev/null
		mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal && mount --rbind "$1/dev" /dev || exit 1
		touch /run/systemd/journal/{socket,dev-log}
		mount --bind "$1/tmp/socket" /run/systemd/journal/socket
		mount --bind "$1/tmp/dev-log" /run/systemd/journal/dev-log
		exec setpriv --reuid "$2" --regid "$2" --clear-groups --inh-caps=-all env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$3" \
			"$4" ADD --pid "$5" --container-id "c$5" --conf "$1/tmp/journal.conf"' bash \
		"$BED_DIR" "$BED_UID" "$XDG" "$CNI_PASST" "$C" > /dev/null
}

fake='
import json, os, socket, sys, threading
def serve(name):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(sys.argv[1] + "/" + name)
    os.chmod(sys.argv[1] + "/" + name, 0o666)
    while True:
        d = s.recv(65536)
        fields = dict(l.split(b"=", 1) for l in d.split(b"\n") if b"=" in l) if name == "socket" else {b"MESSAGE": d}
        with open(sys.argv[1] + "/entries", "a") as f:
            print(json.dumps({"by": name, **{k.decode(): v.decode() for k, v in fields.items()}}), file=f, flush=True)
for name in "socket", "dev-log":
    threading.Thread(target=serve, args=(name,)).start()'

entries() { jq -r "$@" < "$BED_DIR/tmp/entries"; }
has_both() { [ -S "$BED_DIR/tmp/socket" ] && [ -S "$BED_DIR/tmp/dev-log" ]; }
ran_again() { entries .MESSAGE | grep -q 'running again'; }

play_journald() {
	rm -f "$BED_DIR"/tmp/{socket,dev-log,entries}
	bed_bg JOURNALD python3 -c "$fake" "$BED_DIR/tmp"
	bed_until 5 has_both
}

@test "log: journald gets fields, also where syslog's socket is its" {
	bed_real_root || skip "only root can put another /dev in place"
	for target in journal syslog; do
		play_journald
		attach_journal $target
		kill_engine
		bed_until 5 ran_again || die "$(cat "$BED_DIR/tmp/entries")"
		detach "$C"
		bed_until 5 bed_no_core
		same "by syslog" "$(entries 'select(.by != "socket")')" ""
		same "identifiers" "$(entries '.SYSLOG_IDENTIFIER' | sort -u)" cni-passt
		same "ids" "$(entries '.CNI_PASST_ID' | sort -u)" "c$C"
		same "interfaces" "$(entries '.CNI_PASST_INTERFACE' | sort -u)" eth0
		same "without a process" "$(entries 'select(.CNI_PASST_PROCESS == null)')" ""
		same "network" "$(entries 'select(.MESSAGE | contains("attached")) | .CNI_PASST_NETWORK')" n
		same "priority" "$(entries 'select(.MESSAGE | contains("attached")) | .PRIORITY')" 6
		same "restarts" "$(entries 'select(.MESSAGE | contains("running again")) | .CNI_PASST_RESTARTS')" 1
		same "lines without the id" "$(entries .MESSAGE | grep -cv "^c$C@eth0 ")" 0
		bed_kill "$JOURNALD"
	done
}

@test "log: a journald that hangs, or goes, costs lines and not the network" {
	bed_real_root || skip "only root can put another /dev in place"
	play_journald
	attach_journal journal
	main=$(bed_main "$C")
	kill -STOP "$JOURNALD"
	for _ in 1 2 3 4 5; do		# more lines than the socket holds
		for _ in {1..40}; do kill -USR1 "$main" && sleep 0.005; done
		bed_in "$C" ping -c 1 -W 5 "$PEER4" > /dev/null
	done
	kill -9 "$JOURNALD"
	kill_engine
	bed_until 5 bed_in "$C" ping -c 1 -W 1 "$PEER4" > /dev/null
	detach "$C"
	bed_until 5 bed_no_core || die "it did not end"
}

@test "log: who asks for a journal that is not there is told" {
	[ ! -e /run/systemd/journal/socket ] || skip "there is a journald here"
	conf_log '{"target": "journal"}' > "$BED_DIR/tmp/none.conf"
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < "$BED_DIR/tmp/none.conf"
	refused 7 'log.target: cannot open the journal: No such file or directory'
	conf_log '{"target": "jurnal"}' > "$BED_DIR/tmp/none.conf"
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < "$BED_DIR/tmp/none.conf"
	refused 7 'log.target: "jurnal" is not syslog, journal, stderr, none or the absolute path of a file'
}
