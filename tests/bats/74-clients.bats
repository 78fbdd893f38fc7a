#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that people run, against the servers that people run, which stand on
# the peer: no error, and the right bytes.

load bed
load expect

setup_file() {
	bed_make cubic
	head -c 20M /dev/urandom > "$BED_DIR/www/file"
	head -c 4096 /dev/urandom > "$BED_DIR/www/page"
	mkdir "$BED_DIR/servers"
	start_nginx
	start_sshd
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	attach "$C" > /dev/null
	WORK=$BED_DIR/tmp/$BATS_TEST_NUMBER
	bed_user mkdir -p "$WORK"
	local options=(-F none -i "$BED_DIR/tmp/key" -o BatchMode=yes -o StrictHostKeyChecking=no
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)
	SSH=(ssh -p 2222 "${options[@]}")
	SCP=(scp -q -P 2222 "${options[@]}")
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

has() { PATH=$PATH:/usr/sbin command -v "$1" > /dev/null; }

# need PROGRAM...
need() {
	local p
	for p in "$@"; do
		has "$p" || skip "no program $p"
	done
}

in_c() { bed_in "$C" timeout 60 "$@"; }

# Two ends of one tree.
same_tree() { diff -r "$1" "$2" || die "$1 and $2 are not the same"; }

# A tree of files of many sizes, readable by all.
make_tree() {
	local i
	mkdir -p "$1/sub"
	for i in {1..200}; do
		head -c $((i * i * 7)) /dev/urandom > "$1/sub/$i"
	done
	head -c 10M /dev/urandom > "$1/large"
	chmod -R a+rX "$1"
}

start_nginx() {
	has nginx || return 0
	cat > "$BED_DIR/servers/nginx.conf" <<- END
		user root;
		daemon off;
		worker_processes 1;
		pid $BED_DIR/servers/nginx.pid;
		error_log $BED_DIR/servers/nginx.log;
		events { worker_connections 2048; }
		http {
			access_log off;
			keepalive_requests 1000000;
			client_body_temp_path $BED_DIR/servers/body;
			proxy_temp_path $BED_DIR/servers/proxy;
			fastcgi_temp_path $BED_DIR/servers/fastcgi;
			uwsgi_temp_path $BED_DIR/servers/uwsgi;
			scgi_temp_path $BED_DIR/servers/scgi;
			server {
				listen $PEER4:80 backlog=1024;
				listen [$PEER6]:80 backlog=1024;
				root $BED_DIR/www;
			}
		}
	END
	bed_server NGINX bed_peer tcp 80 nginx -c "$BED_DIR/servers/nginx.conf" -e "$BED_DIR/servers/nginx.log"
}

# sshd in a mount namespace: its folder in /run, and a root whose password is not
# "locked" (it cannot log in by one either way), are there only.
start_sshd() {
	bed_real_root && has sshd && has ssh-keygen || return 0
	local dir=$BED_DIR/servers/ssh
	mkdir -p "$dir"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
	cp "$dir/user.pub" "$dir/authorized_keys"
	install -m 0600 -o "$BED_UID" -g "$BED_GID" "$dir/user" "$BED_DIR/tmp/key"
	sed 's/^root:!*/root:*/' /etc/shadow > "$dir/shadow"
	chmod 0600 "$dir/shadow"
	cat > "$dir/config" <<- END
		Port 2222
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized_keys
		StrictModes no
		UsePAM no
		PidFile none
		PermitRootLogin prohibit-password
		Subsystem sftp internal-sftp
	END
	bed_server SSHD bed_peer tcp 2222 unshare -m --propagation private sh -c \
		"mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && mount --bind $dir/shadow /etc/shadow && exec /usr/sbin/sshd -D -f $dir/config"
}

need_sshd() {
	bed_real_root || skip "sshd needs more users than one"
	need sshd ssh scp ssh-keygen
}

@test "curl: one connection for many requests, and many at once" {
	need nginx
	local n
	n=$(in_c curl -sS --fail -o /dev/null -w '%{num_connects}\n' "http://$PEER4/page?[1-50]" | awk '{ n += $1 } END { print NR, n }')
	same "requests and connections" "$n" "50 1"
	in_c curl -sS --fail -Z --parallel-max 20 -o "$WORK/page.#1" "http://$PEER4/page?[1-100]"
	for n in {1..100}; do
		cmp "$WORK/page.$n" "$BED_DIR/www/page"
	done
	same "the file" "$(in_c curl -sSg --fail "http://[$PEER6]/file" | sum)" "$(sum < "$BED_DIR/www/file")"
}

@test "wget: one connection for many files, and several at once" {
	need nginx wget
	local p pids=() got
	got=$(in_c wget -q -O - "http://$PEER4/page" "http://$PEER4/file" "http://$PEER4/page" | sum)
	same "three files" "$got" "$(cat "$BED_DIR"/www/{page,file,page} | sum)"
	for p in 1 2 3 4; do
		in_c wget -q -O "$WORK/file.$p" "http://[$PEER6]/file" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p"; done
	for p in 1 2 3 4; do cmp "$WORK/file.$p" "$BED_DIR/www/file"; done
}

@test "wrk: 500 connections kept alive, no error" {
	need nginx wrk
	local address
	for address in "$PEER4" "[$PEER6]"; do
		in_c wrk -t 2 -c 500 -d 3s --timeout 20s "http://$address/page" > "$WORK/wrk" 2>&1 || die "$(cat "$WORK/wrk")"
		! grep -qE 'Socket errors|Non-2xx|unable' "$WORK/wrk" || die "$(cat "$WORK/wrk")"
		[ "$(awk '/requests in/ { print $1 }' "$WORK/wrk")" -ge 500 ] || die "$(cat "$WORK/wrk")"
	done
}

@test "ssh: a command, a stream both ways, scp there and back" {
	need_sshd
	local got
	same "a command" "$(in_c "${SSH[@]}" "root@$PEER4" echo hello)" hello
	got=$(in_c sh -c "${SSH[*]} root@$PEER6 cat < $BED_DIR/www/file" | sum)
	same "there and back" "$got" "$(sum < "$BED_DIR/www/file")"
	mkdir "$BED_DIR/servers/scp"
	in_c "${SCP[@]}" "$BED_DIR/www/file" "root@$PEER4:$BED_DIR/servers/scp/up"
	cmp "$BED_DIR/servers/scp/up" "$BED_DIR/www/file"
	in_c "${SCP[@]}" "root@[$PEER6]:$BED_DIR/www/file" "$WORK/down"
	cmp "$WORK/down" "$BED_DIR/www/file"
}

@test "rsync: over ssh, there and back, and once more what changed" {
	need rsync
	need_sshd
	make_tree "$WORK/tree"
	in_c rsync -a --no-o --no-g -e "${SSH[*]}" "$WORK/tree/" "root@$PEER4:$BED_DIR/servers/rsync-ssh/"
	same_tree "$WORK/tree" "$BED_DIR/servers/rsync-ssh"
	head -c 1M /dev/urandom >> "$BED_DIR/servers/rsync-ssh/large"
	rm "$BED_DIR/servers/rsync-ssh/sub/7"
	in_c rsync -a --no-o --no-g --delete -e "${SSH[*]}" "root@[$PEER6]:$BED_DIR/servers/rsync-ssh/" "$BED_DIR/tmp/rsync-back/"
	same_tree "$BED_DIR/servers/rsync-ssh" "$BED_DIR/tmp/rsync-back"
}

@test "rsync: its daemon, there and back" {
	need rsync
	local dir=$BED_DIR/servers/rsync
	mkdir -p "$dir/module"
	make_tree "$WORK/tree"
	cat > "$dir/conf" <<- END
		[module]
		path = $dir/module
		use chroot = no
		read only = no
		uid = 0
		gid = 0
	END
	bed_server RSYNC bed_peer tcp 8730 rsync --daemon --no-detach --port 8730 --config "$dir/conf"
	in_c rsync -a "$WORK/tree/" "rsync://$PEER4:8730/module/"
	same_tree "$WORK/tree" "$dir/module"
	in_c rsync -a --no-o --no-g "rsync://[$PEER6]:8730/module/" "$BED_DIR/tmp/module-back/"
	same_tree "$dir/module" "$BED_DIR/tmp/module-back"
	bed_kill "$RSYNC"
}

# git_repository FOLDER: some history, and something large in it
git_repository() {
	local i git=(git -C "$1" -c user.name=t -c user.email=t@t.example)
	git init -q "$1"
	make_tree "$1"
	"${git[@]}" add . && "${git[@]}" commit -qm first
	for i in {1..20}; do
		echo "$i" > "$1/number"
		"${git[@]}" add number && "${git[@]}" commit -qm "$i"
	done
}

cloned() { # cloned FOLDER ORIGIN
	git -c safe.directory='*' -C "$1" fsck --full > /dev/null
	same "the head of the clone" "$(git -c safe.directory='*' -C "$1" rev-parse HEAD)" "$(git -C "$2" rev-parse HEAD)"
}

@test "git: clone from git daemon and over ssh" {
	need git
	local dir=$BED_DIR/servers/git
	git_repository "$dir/repository" > /dev/null
	bed_server GIT bed_peer tcp 9418 git daemon --reuseaddr --export-all --base-path="$dir" --listen="$PEER4" --listen="$PEER6"
	in_c git clone -q "git://$PEER4/repository" "$WORK/one"
	cloned "$WORK/one" "$dir/repository"
	in_c git clone -q "git://[$PEER6]/repository" "$WORK/two"
	cloned "$WORK/two" "$dir/repository"
	bed_kill "$GIT"
	need_sshd
	in_c env GIT_SSH_COMMAND="${SSH[*]}" git clone -q "ssh://root@$PEER4$dir/repository" "$WORK/three"
	cloned "$WORK/three" "$dir/repository"
}

@test "psql and pgbench: PostgreSQL" {
	bed_real_root || skip "PostgreSQL does not run as root"
	local bin dir=$BED_DIR/servers/pg as=(setpriv --reuid postgres --regid postgres --init-groups) url
	bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2> /dev/null | sort -V | tail -n 1)
	[ -n "$bin" ] && [ -x "$bin/initdb" ] || skip "no PostgreSQL server"
	install -d -m 0700 -o postgres -g postgres "$dir"
	"${as[@]}" env -C / "$bin/initdb" -D "$dir" -A trust --no-sync > "$BED_DIR/servers/initdb" || die "$(cat "$BED_DIR/servers/initdb")"
	printf 'host all all %s trust\n' 0.0.0.0/0 ::/0 >> "$dir/pg_hba.conf"
	BED_OUT=$BED_DIR/servers/pg.log bed_server PG bed_peer tcp 5433 "${as[@]}" env -C / "$bin/postgres" -D "$dir" -p 5433 \
		-c listen_addresses="$PEER4,$PEER6" -c unix_socket_directories= -c fsync=off
	url="postgresql://postgres@$PEER4:5433/postgres"
	bed_until 10 in_c "$bin/psql" -qAt "$url" -c "select 1" > /dev/null
	in_c "$bin/psql" -q "$url" -c "create table t as select i, md5(i::text) m from generate_series(1, 200000) i"
	in_c "$bin/psql" -q "$url" -c "\\copy t to '$WORK/rows'"
	in_c "$bin/psql" -q "${url/$PEER4/[$PEER6]}" -c "create table u (like t)" -c "\\copy u from '$WORK/rows'"
	same "rows that differ" "$(in_c "$bin/psql" -qAt "$url" -c "select count(*) from (table t except all table u) d")" 0
	same "rows" "$(in_c "$bin/psql" -qAt "$url" -c "select count(*) from u")" 200000
	in_c "$bin/pgbench" -qi -s 1 "$url" 2> "$WORK/init" || die "$(cat "$WORK/init")"
	in_c "$bin/pgbench" -c 8 -j 2 -T 3 "$url" > "$WORK/pgbench" 2>&1 || die "$(cat "$WORK/pgbench")"
	grep -q 'number of failed transactions: 0 ' "$WORK/pgbench" || die "$(cat "$WORK/pgbench")"
	in_c "$bin/pgbench" -S -C -c 4 -T 2 "$url" > "$WORK/pgbench" 2>&1 || die "$(cat "$WORK/pgbench")"
	bed_kill "$PG"
}

@test "redis-benchmark: Redis" {
	need redis-server redis-benchmark
	local how
	bed_server REDIS bed_peer tcp 6379 redis-server --bind "$PEER4" "$PEER6" --protected-mode no --save '' --appendonly no --dir "$BED_DIR/servers"
	for how in "-t ping,set,get,lrange_100 -c 50" "-t ping,set,get,lrange_100 -c 50 -P 16" "-t ping,set,get -c 20 -d 20000"; do
		# shellcheck disable=SC2086
		in_c redis-benchmark -h "$PEER4" -n 5000 -q $how > "$WORK/redis" 2>&1 || die "$how: $(cat "$WORK/redis")"
		! grep -qiE 'error|refused|closed' "$WORK/redis" || die "$how: $(cat "$WORK/redis")"
		[ "$(tr '\r' '\n' < "$WORK/redis" | grep -c 'requests per second')" -ge 4 ] || die "$how: $(cat "$WORK/redis")"
	done
	in_c redis-benchmark -h "$PEER6" -t ping -n 5000 -q > /dev/null
	bed_kill "$REDIS"
}
