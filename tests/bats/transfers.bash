# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# transfers: bulk TCP by real programs, each way, in each family, compared by
# sha256. Used by the plain tests and by those with kernel features left out.

transfers_mib=${BED_SHORT:+16}
transfers_mib=${transfers_mib:-256}

# In setup_file: the web server of the peer and the file it serves.
transfers_serve() {
	head -c "${transfers_mib}M" /dev/urandom > "$BED_DIR/www/file"
	sum < "$BED_DIR/www/file" > "$BED_DIR/www/sum"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
}

fetched() { # fetched PID URL: curl's download has the right hash
	same "sha256 of $2" "$(bed_in "$1" curl -sSg --max-time 120 "$2" | sum)" "$(cat "$BED_DIR/www/sum")"
}

uploaded() { # uploaded PID URL: the server got what curl sent
	same "sha256 at $2" "$(bed_in "$1" curl -sSg --max-time 120 -T "$BED_DIR/www/file" "$2")" \
		"$(cat "$BED_DIR/www/sum")"
}

transfers() { # transfers PID: both ways, both families
	fetched "$1" "http://$PEER4/file"
	uploaded "$1" "http://$PEER4/up"
	fetched "$1" "http://[$PEER6]/file"
	uploaded "$1" "http://[$PEER6]/up"
}
