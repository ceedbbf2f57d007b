#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink interface: dumps that span many messages come back exactly, and malformed
# requests get their error and change nothing.
#
#   a  wg0, no link: nothing but netlink

. "$(dirname "$0")/common.sh"

NL=$SELFTESTS/nl.py
NUM_IPS=20000
NUM_PEERS=500
# Requests of nl.py: refused ones, ones refused for their last part, accepted ones.
NUM_REFUSED=42
NUM_ATOMIC=4
NUM_ACCEPTED=3

# Keys need not be points that anybody has the private key of.
random_keys() {
	python3 -c 'import base64, os, sys
for _ in range(int(sys.argv[1])): print(base64.b64encode(os.urandom(32)).decode())' "$1"
}

nl() {
	in_ns a python3 "$NL" "$KIND" "$@"
}

# read_back FILE: FILE has lines "KEY<tab>PREFIX"; compared with what the device says.
read_back() {
	wg_in a show "${ns_dev[a]}" dump | awk -F '\t' '
		NR > 1 && $4 != "(none)" { n = split($4, ip, ","); for (i = 1; i <= n; i++) print $1 "\t" ip[i] }' |
		sort >"$tmp/actual"
	sort "$1" | diff - "$tmp/actual" >"$tmp/diff" || {
		head -20 "$tmp/diff"
		return 1
	}
}

# from_file FILE: a configuration of these peers, in the format of setconf.
from_file() {
	{
		printf '[Interface]\nPrivateKey = %s\nListenPort = 5001\n' "$(<"$tmp/a.key")"
		awk -F '\t' '
			$1 != last { printf "\n[Peer]\nPublicKey = %s\n", $1; last = $1 }
			{ printf "AllowedIPs = %s\n", $2 }' "$1"
	} >"$tmp/conf"
	wg_in a setconf "${ns_dev[a]}" "$tmp/conf"
}

# One peer, many prefixes of both families.
many_ips() {
	python3 -c 'import sys
for i in range(int(sys.argv[2]) // 2):
    print(f"{sys.argv[1]}\t10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32")
    print(f"{sys.argv[1]}\tfd00::{i + 1:x}/128")' "$(head -1 "$tmp/keys")" "$NUM_IPS" >"$tmp/expected"
	from_file "$tmp/expected"
	read_back "$tmp/expected"
}

# Each message is limited in size, so the peer continues over several.
spans_messages() {
	local num
	nl dump "${ns_dev[a]}" >"$tmp/messages"
	num=$(wc -l <"$tmp/messages")
	((num >= 10)) || {
		echo "the dump has $num messages"
		return 1
	}
	expect_eq "AllowedIPs in all messages" \
		"$(awk '{ for (i = 3; i <= NF; i++) { split($i, part, ":"); sum += part[2] } } END { print sum }' \
			"$tmp/messages")" "$NUM_IPS"
}

many_peers() {
	awk '{ printf "%s\t10.%d.%d.0/24\n%s\tfd00:%x::/32\n", $1, NR / 256, NR % 256, $1, NR }' \
		"$tmp/keys" >"$tmp/expected"
	from_file "$tmp/expected"
	read_back "$tmp/expected"
	expect_eq "peers" "$(wg_in a show "${ns_dev[a]}" dump | tail -n +2 | wc -l)" "$NUM_PEERS"
}

# setconf with no peers replaces the peers there are.
all_removed() {
	printf '[Interface]\nPrivateKey = %s\nListenPort = 5001\n' "$(<"$tmp/a.key")" >"$tmp/conf"
	wg_in a setconf "${ns_dev[a]}" "$tmp/conf"
	expect_eq "lines of the dump" "$(wg_in a show "${ns_dev[a]}" dump | wc -l)" 1
}

# Adding and removing many in one go, while somebody else reads without a pause: a reader
# sees errors or a whole number of AllowedIPs, and the kernel does not stumble.
dump_while_changing() {
	local reader
	(while :; do nl dump "${ns_dev[a]}" || true; done) >"$tmp/reader" 2>&1 &
	reader=$!
	many_peers
	all_removed
	many_ips
	many_peers
	kill "$reader"
	wait "$reader" || true
}

plan $((6 + NUM_REFUSED + NUM_ATOMIC + NUM_ACCEPTED))
require_tools
keygen a b
ns_create a
wg_link a
random_keys "$NUM_PEERS" >"$tmp/keys"
check "one peer with $NUM_IPS AllowedIPs reads back exactly" many_ips
check "its dump spans messages, and later parts repeat nothing" spans_messages
check "$NUM_PEERS peers read back exactly" many_peers
check "removing all of them" all_removed
check "dumps while peers come and go" dump_while_changing

pskgen one
wg_set a private-key "$tmp/a.key" listen-port 5001 fwmark 0x12 peer "${pub[b]}" \
	preshared-key "$tmp/one.psk" endpoint 192.0.2.1:1 persistent-keepalive 0 \
	allowed-ips 10.1.0.0/16,fd00:1::/32
# Only wgpp promises that a request applies all of a peer or nothing.
atomic=1
[[ $WGPP_MODULE != in-tree ]] || atomic=0
malformed() {
	nl malformed "${ns_dev[a]}" "${pub[b]}" "$atomic" >"$tmp/malformed"
}
check "malformed requests are all answered" malformed
while IFS= read -r line; do
	case $line in
	"ok "*) ok "${line#ok }" ;;
	"skip "*) skip "${line#skip }" "the in-tree module applies a peer attribute by attribute" ;;
	*) not_ok "${line#not ok }" ;;
	esac
done <"$tmp/malformed"
finish
