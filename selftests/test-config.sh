#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What configuration does: requests one by one, keys that are our own or nobody's, a key that
# changes under a session, the mark that routing goes by, and who may change what.
#
#   a  eth-b 192.0.2.1    -------------- veth -------------- 192.0.2.2    eth-a  b
#      eth-c 198.51.100.1 -- veth -- c (forwards) -- veth -- 203.0.113.2  eth-c
#      wg0   10.9.0.1     ============= tunnel ============ 10.9.0.2      wg0
#
#   u  a network namespace that belongs to a user namespace

. "$(dirname "$0")/common.sh"

NL=$SELFTESTS/nl.py
NUM_CONTRACT=16

# The public keys that lead to a shared secret of zeros, whatever the private key (RFC 7748,
# section 6.1): points of small order and their other encodings.
LOW_ORDER=(
	0000000000000000000000000000000000000000000000000000000000000000
	0100000000000000000000000000000000000000000000000000000000000000
	e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800
	5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157
	ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
)

# base64_of HEX...: a line each
base64_of() {
	python3 -c 'import base64, sys
for word in sys.argv[1:]: print(base64.b64encode(bytes.fromhex(word)).decode())' "$@"
}

peers_of() {
	wg_in a show "$1" dump | tail -n +2 | cut -f 1 | sort
}

own_key_ignored() {
	wg_in a set wg1 private-key "$tmp/a.key" peer "${pub[a]}" allowed-ips 10.50.0.0/16 \
		peer "${pub[c]}" allowed-ips 10.51.0.0/16
	expect_eq "peers" "$(peers_of wg1)" "${pub[c]}"
}

becomes_peer() {
	wg_in a set wg1 peer "${pub[b]}" allowed-ips 10.52.0.0/16
	wg_in a set wg1 private-key "$tmp/c.key"
	expect_eq "peers" "$(peers_of wg1)" "${pub[b]}"
}

# Zeros are no key, though clamping would make one of them.
key_removed() {
	local key
	key=$(base64_of "$(printf '0%.0s' {1..62})40" | "$WGTOOL" pubkey)
	wg_in a set wg1 peer "$key" allowed-ips 10.53.0.0/16
	wg_in a set wg1 private-key /dev/null
	expect_eq "private key" "$(wg_in a show wg1 private-key)" "(none)"
	expect_eq "peers" "$(peers_of wg1)" "$(printf '%s\n' "$key" "${pub[b]}" | sort)"
}

# Accepted like any key; only that nothing is ever sent to them.
low_order() {
	local key keys num=0 peers=() removals=()
	mapfile -t keys < <(base64_of "${LOW_ORDER[@]}")
	for key in "${keys[@]}"; do
		num=$((num + 1))
		peers+=(peer "$key" endpoint 192.0.2.2:5002 allowed-ips "10.66.0.$num/32")
		removals+=(peer "$key" remove)
	done
	wg_set a "${peers[@]}"
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_ns a bash -c 'for ((i = 1; i <= $1; i++)); do echo data >/dev/udp/10.66.0.$i/9; done' \
		bash "$num"
	# A session after them shows that the handshake work has run.
	wg_set a peer "${pub[b]}" remove
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002 allowed-ips 10.9.0.2/32
	ping_ns a 10.9.0.2
	wg_in a show "${ns_dev[a]}" dump | grep -F 10.66.0. >"$tmp/low-order"
	cat "$tmp/low-order"
	expect_eq "keys of small order" "$(wc -l <"$tmp/low-order")" "$num"
	# Fields 5 to 7: handshake, received, sent
	expect_eq "keys that were called" \
		"$(awk -F '\t' '$5 != 0 || $6 != 0 || $7 != 0' "$tmp/low-order" | wc -l)" 0
	wg_set a "${removals[@]}"
}

# One who changes its key calls again at once, although it called less than 5 s ago. Void when
# the machine is so slow that 5 s went by.
key_changes() {
	local attempt start
	for attempt in 1 2 3 4 5; do
		ip_ns a link set wg0 down
		ip_ns a link set wg0 up
		wg_set a private-key "$tmp/a.key"
		wg_set b peer "${pub[d]}" remove peer "${pub[a]}" endpoint 192.0.2.1:5001 \
			allowed-ips 10.9.0.1/32
		# The device has just come up, so this calls at once; now is at most 5 s before.
		start=${EPOCHREALTIME/./}
		ping_ns a 10.9.0.2
		wg_set b peer "${pub[a]}" remove peer "${pub[d]}" endpoint 192.0.2.1:5001 \
			allowed-ips 10.9.0.1/32
		wg_set a private-key "$tmp/d.key"
		ping_ns a 10.9.0.2
		((${EPOCHREALTIME/./} - start >= 5000000)) || return 0
		echo "attempt $attempt took 5 s or more"
	done
	return 1
}

# What a device shares with its peers is computed for eight at a time. b answers when its part is
# right: it is in the second eight, which are not complete.
key_changes_for_many() {
	local i
	wg_set a peer "${pub[b]}" remove
	for ((i = 0; i < 12; i++)); do
		if ((i == 9)); then
			wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002 allowed-ips 10.9.0.2/32
		fi
		keygen "other$i"
		wg_set a peer "${pub[other$i]}"
	done
	wg_set a private-key "$tmp/a.key"
	no_ping_ns a 10.9.0.2
	wg_set b peer "${pub[d]}" remove peer "${pub[a]}" endpoint 192.0.2.1:5001 \
		allowed-ips 10.9.0.1/32
	wait_until "$LIMIT" in_ns a ping -n -c 1 -W 2 10.9.0.2
}

forwarded() {
	# shellcheck disable=SC2016 # awk's fields
	in_ns c awk '$1 == "eth-b:" { print $11 }' /proc/net/dev
}

# The route is cached with the endpoint; a new mark makes the next packet look again.
fwmark_routes() {
	local before
	ping_ns a 10.9.0.2
	before=$(forwarded)
	wg_set a fwmark 7
	ping_ns a 10.9.0.2 -c 5
	(($(forwarded) - before >= 5))
	wg_set a fwmark 0
	before=$(forwarded)
	ping_ns a 10.9.0.2 -c 5
	(($(forwarded) - before < 5))
}

in_user_ns() {
	nsenter -t "$user_pid" -U -n --preserve-credentials -- env "WGTOOL_KIND=$KIND" "$@"
}

in_net_of_user() {
	nsenter -t "$user_pid" -n -- env "WGTOOL_KIND=$KIND" "$@"
}

# Moved there from here: root there configures it, except for what acts here.
moved_to_user() {
	local what
	ip link add wg5 type "$KIND"
	ip link set wg5 netns "$user_pid"
	in_user_ns "$WGTOOL" set wg5 private-key "$tmp/a.key" peer "${pub[b]}" allowed-ips 10.1.0.0/16
	expect_eq "private key" "$(in_user_ns "$WGTOOL" show wg5 private-key)" "$(<"$tmp/a.key")"
	for what in "listen-port 5055" "fwmark 5"; do
		# shellcheck disable=SC2086 # two words
		in_user_ns "$WGTOOL" set wg5 $what 2>"$tmp/denied" && return 1
		cat "$tmp/denied"
		grep -q 'Not permitted to modify' "$tmp/denied"
	done
	in_net_of_user "$WGTOOL" set wg5 listen-port 5055 fwmark 5
	expect_eq "port" "$(in_net_of_user "$WGTOOL" show wg5 listen-port)" 5055
	in_net_of_user ip link del wg5
}

# Made there: root there may do everything.
made_by_user() {
	in_user_ns ip link add wg6 type "$KIND"
	in_user_ns "$WGTOOL" set wg6 private-key "$tmp/a.key" listen-port 5056 fwmark 6
	in_user_ns ip link set wg6 up
	expect_eq "port" "$(in_user_ns "$WGTOOL" show wg6 listen-port)" 5056
}

# Without CAP_NET_ADMIN nothing is shown, and nothing changed.
nobody() {
	refuse in_user_ns setpriv --reuid 0 --bounding-set -net_admin --inh-caps -net_admin \
		"$WGTOOL" show wg6 private-key
	refuse in_user_ns setpriv --reuid 0 --bounding-set -net_admin --inh-caps -net_admin \
		"$WGTOOL" set wg6 fwmark 1
	expect_eq "fwmark" "$(in_user_ns "$WGTOOL" show wg6 fwmark)" 0x6
}

plan $((10 + NUM_CONTRACT))
require_tools ping unshare setpriv
keygen c d
ns_create c
pair_create
pair_outer 4
veth_link a c
veth_link c b
addr_add a eth-c 198.51.100.1/24
addr_add c eth-a 198.51.100.2/24
addr_add c eth-b 203.0.113.1/24
addr_add b eth-c 203.0.113.2/24
in_ns c bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ip_ns c route add 192.0.2.2/32 via 203.0.113.2
ip_ns a route add 192.0.2.2/32 via 198.51.100.2 table 7
ip_ns a rule add fwmark 7 table 7
# The answers go the direct way, and to either address of a.
ip_ns b route add 198.51.100.0/24 via 192.0.2.1
ip_ns a route add 10.66.0.0/16 dev wg0
ip_ns a link add wg1 type "$KIND"

if [[ $WGPP_MODULE == in-tree ]]; then
	for ((i = 1; i <= NUM_CONTRACT; i++)); do
		skip "the contract of requests, $i" "older in-tree modules remove no single AllowedIP"
	done
else
	in_ns a python3 "$NL" "$KIND" contract wg1 >"$tmp/contract" 2>&1 || cat "$tmp/contract"
	while IFS= read -r line; do
		case $line in
		"ok "*) ok "${line#ok }" ;;
		*) not_ok "${line#not ok }" ;;
		esac
	done <"$tmp/contract"
fi
check "a peer with our own key is ignored" own_key_ignored
check "a peer whose key becomes ours goes" becomes_peer
check "a private key of zeros is none, and removes no peer" key_removed
check "seven keys of small order are taken, and never called" low_order
check "another fwmark, another route" fwmark_routes
check "a changed key calls again at once" key_changes
check "a changed key is used with each of many peers" key_changes_for_many

unshare --user --net --map-root-user sleep 1000 >/dev/null 2>&1 </dev/null &
user_pid=$!
background+=("$user_pid")
has_user_ns() {
	[[ $(readlink "/proc/$user_pid/ns/user") != "$(readlink /proc/self/ns/user)" ]] &&
		grep -q '^ *0 ' "/proc/$user_pid/uid_map"
}
wait_until "$LIMIT" has_user_ns
check "a device moved to a user's namespace: port and fwmark stay ours" moved_to_user
check "a device that a user made is all its own" made_by_user
check "without CAP_NET_ADMIN: neither shown nor changed" nobody
finish
