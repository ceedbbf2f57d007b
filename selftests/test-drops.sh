#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Takes 110 s
#
# What is dropped is counted under its reason: as many as were sent, once, for the device and, where
# it is known, for the peer; and no packet is lost without a reason.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2   wg0
#
# a has peers that nothing reaches, too: d without an endpoint, e beyond all routes. f is a device in
# the namespace of a whose key b does not know.

. "$(dirname "$0")/common.sh"

HOSTILE=$SELFTESTS/hostile.py

# drops NS REASON [PEER]
drops() {
	wg_in "$1" drops "${ns_dev[$1]}" --no-names | awk -v reason="$2" -v key="${3:+${pub[$3]}}" '
		$1 == "peer:" { peer = $2 }
		peer == key && $1 == reason { num = $2 }
		END { print num + 0 }'
}

drops_total() {
	wg_in "$1" drops "${ns_dev[$1]}" --no-names |
		awk '$1 == "peer:" { exit } $2 ~ /^[0-9]+$/ { num += $2 } END { print num + 0 }'
}

drops_is() {
	[[ $(drops "$1" "$2" "${4-}") == "$3" ]]
}

# dropped REASON NUM [PEER] COMMAND...: what b drops while the command runs, here and nowhere else.
dropped_at() {
	local ns=$1 reason=$2 num=$3 peer=$4 before before_peer total
	shift 4
	before=$(drops "$ns" "$reason")
	before_peer=$(drops "$ns" "$reason" "$peer")
	total=$(drops_total "$ns")
	"$@"
	wait_until "$LIMIT" drops_is "$ns" "$reason" $((before + num))
	expect_eq "drops of all reasons" "$(drops_total "$ns")" $((total + num))
	[[ -z $peer ]] || expect_eq "drops of the peer" "$(drops "$ns" "$reason" "$peer")" \
		$((before_peer + num))
}

inject() {
	in_ns a python3 "$HOSTILE" inject 192.0.2.2 5002 "${pub[b]}" "$tmp/bg.a.out" "$@"
}

# injected REASON NUM [PEER]
injected() {
	dropped_at b "$1" "$2" "${3-}" inject "$1" "$2"
}

spoof() {
	in_ns a ping -n -c "$1" -i 0.2 -W 1 -I 10.9.0.99 10.9.0.2 || true
}

unanswered() {
	in_ns a ping -n -c "$1" -i 0.2 -W 1 "$2" || true
}

bad_source() {
	ip_ns a addr add 10.9.0.99/32 dev "${ns_dev[a]}"
	dropped_at b bad-source 3 a spoof 3
}

bad_inner_length() {
	dropped_at b bad-inner-length 1 a in_ns a python3 "$HOSTILE" raw "${ns_dev[a]}" \
		4500006400000000401100000a0900010a090002
}

no_endpoint() {
	wg_set a peer "${pub[d]}" allowed-ips 10.9.0.4/32
	dropped_at a no-endpoint 3 d unanswered 3 10.9.0.4
}

# Datagrams to e wait for a handshake; the newest 129 of them, then they go with their peer.
waiting() {
	local before_full before_closed num
	before_full=$(drops a staged-full)
	before_closed=$(drops a closed)
	wg_set a peer "${pub[e]}" allowed-ips 10.9.0.5/32 endpoint 203.0.113.1:1
	in_ns a python3 -c '
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(300):
    sock.sendto(b"x", ("10.9.0.5", 7000))'
	num=$(($(drops a staged-full) - before_full))
	expect_eq "of the peer" "$(drops a staged-full e)" "$num"
	expect_eq "dropped of 300, when 129 may wait" "$num" 171
	wait_until "$LIMIT" no_route_told
	wg_set a peer "${pub[e]}" remove
	expect_eq "dropped with the peer" "$(($(drops a closed) - before_closed))" 129
}

# Each initiation is one; more of them may follow.
no_route_told() {
	(($(drops a no-route e) > 0)) &&
		wg_in a drops "${ns_dev[a]}" | grep -q 'last error: Network is unreachable'
}

unknown_peer() {
	local before
	before=$(drops b unknown-peer)
	ip_ns a link add wg-f type "$KIND"
	wg_in a set wg-f private-key "$tmp/f.key" peer "${pub[b]}" allowed-ips 10.9.9.0/24 \
		endpoint 192.0.2.2:5002 persistent-keepalive 1
	ip_ns a link set wg-f up
	wait_until "$LIMIT" drops_is b unknown-peer $((before + 1))
	ip_ns a link del wg-f
}

# Both ends have another preshared key: who calls gets an answer that it cannot read.
bad_response() {
	wg_set b peer "${pub[a]}" preshared-key "$tmp/p.psk"
	wg_set a peer "${pub[b]}" remove
	wg_set a peer "${pub[b]}" allowed-ips 10.9.0.2/32 endpoint 192.0.2.2:5002
	unanswered 1 10.9.0.2
	wait_until "$LIMIT" bad_response_told
	wg_set b peer "${pub[a]}" preshared-key /dev/null
	wait_until 60 ping_ns a 10.9.0.2
}

bad_response_told() {
	(($(drops a bad-response b) > 0))
}

# errors NS: what `ip -s link' has of it
link_drops() {
	echo $(($(dev_stat "$1" rx_errors) + $(dev_stat "$1" rx_dropped) +
		$(dev_stat "$1" tx_errors) + $(dev_stat "$1" tx_dropped)))
}

sums_agree() {
	expect_eq "drops at a" "$(drops_total a)" "$(link_drops a)"
	expect_eq "drops at b" "$(drops_total b)" "$(link_drops b)"
}

json_agrees() {
	local all
	all=$(wg_in b drops "${ns_dev[b]}" --json | python3 -c '
import json, sys
document = json.load(sys.stdin)
device, = document["devices"]
peer, = device["peers"]
assert document["schema"] == 1
assert peer["handshakes"] >= 1 and 0 <= peer["session_age_s"] < 600, peer
assert peer["endpoints"][0]["endpoint"] == "192.0.2.1:5001", peer
assert peer["last_drop"] in peer["drops"] and peer["last_drop_age_s"] >= 0, peer
print(sum(device["drops"].values()))')
	expect_eq "all drops" "$all" "$(drops_total b)"
}

watched() {
	local watcher=$tmp/watched
	WGTOOL_KIND=$KIND in_ns b "$WGTOOL" drops "${ns_dev[b]}" --watch=0.2 >"$watcher" &
	local pid=$!
	sleep 1
	inject bad-mac1 4
	inject bad-tag 2
	wait_until "$LIMIT" watched_all "$watcher"
	kill "$pid"
	wait "$pid" || true
}

watched_all() {
	local line=" ${ns_dev[b]}"
	[[ $(awk '$3 == "bad-mac1" { num += $4 } END { print num }' "$1") == 4 ]] &&
		[[ $(awk -v key="${pub[a]}" '$3 == "bad-tag" && $5 == key { num += $4 } END { print num }' \
			"$1") == 2 ]] && grep -q "$line " "$1"
}

nobody() {
	refuse in_ns a setpriv --bounding-set -net_admin --inh-caps -net_admin \
		env WGTOOL_KIND="$KIND" "$WGTOOL" drops "${ns_dev[a]}" 2>"$tmp/denied"
	grep -q 'Not permitted' "$tmp/denied"
}

plan 22
require_tools ping setpriv
keygen d e f
pskgen p
pair_create
pair_outer 4
bg a python3 "$HOSTILE" capture eth-b
wait_until "$LIMIT" grep -q ready "$tmp/bg.a.out"
ping_ns a 10.9.0.2 >/dev/null
wait_until "$LIMIT" grep -q '^4 5001 ' "$tmp/bg.a.out"
kill "$bg_pid"
# What goes to b only: the first message of each type is taken.
sed -i '/^[0-9] 5002 /d' "$tmp/bg.a.out"
for reason in bad-type bad-length bad-mac1 bad-initiation bad-dh unknown-handshake unknown-session; do
	check "$reason: 7 of 7" injected "$reason" 7
done
for reason in old-timestamp bad-cookie bad-tag replay; do
	check "$reason: 5 of 5, for the peer too" injected "$reason" 5 a
done
check "bad-source: 3 of 3" bad_source
check "bad-inner-length: 1 of 1" bad_inner_length
check "no-peer: 3 of 3" dropped_at a no-peer 3 '' unanswered 3 10.9.0.77
check "no-endpoint: 3 of 3" no_endpoint
check "staged-full, closed: 300 of 300; no-route with its error" waiting
check "unknown-peer: 1 of 1" unknown_peer
check "bad-response: preshared keys differ" bad_response
check "drops are the errors of ip -s link, and no more" sums_agree
check "JSON has the same, and the session" json_agrees
check "--watch prints what comes" watched
check "without CAP_NET_ADMIN nothing is told" nobody
finish
