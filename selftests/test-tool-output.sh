#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 120 s
#
# What wgtool prints under its own name: names, states, JSON, rates, the stream of events, the
# whole screen, and what it says when a device cannot be had.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

# The tool under test, also when the other selftests run with wg.
tool=$WGTOOL
if [[ $(basename "$tool") != wgtool ]]; then
	tool=$SELFTESTS/../build/tool/wgtool
fi
command -v "$tool" >/dev/null || bail_out "$tool is not built"
tool=$(realpath "$(command -v "$tool")")

# ours ARGUMENTS...: in namespace a, with the names of this test
ours() {
	local command=$1
	shift
	WGTOOL_KIND=$KIND in_ns a "$tool" "$command" -f "$tmp/conf" "$@"
}

terminal() {
	WGTOOL_KIND=$KIND in_ns a python3 "$SELFTESTS/terminal.py" "$@" -i 0.3 -f "$tmp/conf"
}

# json EXPRESSION ARGUMENTS...: of the document, which show prints
json() {
	local expression=$1
	shift
	ours show wg0 --json "$@" >"$tmp/json"
	python3 -c 'import json, sys
document = json.load(open(sys.argv[1]))
peers = {peer["name"]: peer for peer in document["devices"][0]["peers"]}
print(eval(sys.argv[2]))' "$tmp/json" "$expression"
}

state_is() {
	ours show wg0 --brief --peer "$1" >"$tmp/brief"
	awk -v state="$2" '$3 == state { found = 1 } END { exit !found }' "$tmp/brief"
}

never_then_up() {
	state_is laptop never
	ping_ns a 10.9.0.2
	wait_until "$LIMIT" state_is laptop up
	expect_eq "name" "$(ours show wg0 | grep -c "peer: ${pub[b]} (laptop)")" 1
}

# Nobody answers at that port, so that no handshake can end.
rejected() {
	no_ping_ns a 10.9.0.77
	wait_until "$LIMIT" state_is nobody rejected
	expect_eq "other peers" "$(ours show wg0 --brief --state rejected | wc -l)" 1
}

one_document() {
	expect_eq "schema" "$(json 'document["schema"]')" 1
	expect_eq "peer" "$(json 'peers["laptop"]["public_key"]')" "${pub[b]}"
	expect_eq "endpoint" "$(json 'peers["laptop"]["endpoint_host"]')" 192.0.2.2
	expect_eq "handshake" "$(json 'peers["laptop"]["latest_handshake"]')" "$(peer_field a b handshake)"
	expect_eq "handshake of nobody" "$(json 'peers["nobody"]["latest_handshake"]')" None
	expect_eq "keys" "$(json 'peers["laptop"]["has_preshared_key"]')" False
	expect_eq "keys" "$(json 'document["devices"][0]["private_key"]')" None
	expect_eq "keys" "$(json 'document["devices"][0]["private_key"]' --show-keys)" "$(<"$tmp/a.key")"
}

hides_secrets() {
	local form
	for form in --json --pretty --brief --oneline --no-names --color=always --rate=0.1; do
		ours show wg0 "$form" >"$tmp/form"
		refuse grep -F "$(<"$tmp/a.key")" "$tmp/form"
	done
}

rates() {
	ping_ns a 10.9.0.2 -c 20 -i 0.1 >/dev/null &
	ours show wg0 --json --rate=1 >"$tmp/rated"
	wait $!
	python3 -c 'import json, sys
peer = [peer for peer in json.load(sys.stdin)["devices"][0]["peers"] if peer["name"] == "laptop"][0]
sys.exit(not peer["tx_bytes_per_s"] > 100)' <"$tmp/rated"
}

# happened EVENT [WORD]: the stream has such a line
happened() {
	grep -q " wg[0-9] $1 .*${2-}" "$tmp/events" || grep -qE " wg[0-9] $1\$" "$tmp/events"
}

events_stream() {
	local stream status=0
	WGTOOL_KIND=$KIND nsenter "--net=/run/netns/$prefix-a" "$tool" monitor -i 0.2 -f "$tmp/conf" \
		>"$tmp/events" 2>"$tmp/events.err" &
	stream=$!
	sleep 1
	wg_in a set wg0 peer "${pub[d]}" allowed-ips 10.9.0.78/32
	wait_until "$LIMIT" happened peer-added "${pub[d]} (printer)"
	wg_in a set wg0 peer "${pub[d]}" endpoint 192.0.2.2:9
	wait_until "$LIMIT" happened endpoint-change "(none) -> 192.0.2.2:9"
	wg_in a set wg0 peer "${pub[d]}" remove
	wait_until "$LIMIT" happened peer-removed "${pub[d]}"
	ip_ns a link add wg7 type "$KIND"
	wait_until "$LIMIT" happened device-added
	ip_ns a link del wg7
	wait_until "$LIMIT" happened device-removed
	# A new session: the peer is made anew.
	wg_in a set wg0 peer "${pub[b]}" remove
	wait_until "$LIMIT" happened peer-removed "${pub[b]}"
	wg_in a set wg0 peer "${pub[b]}" endpoint 192.0.2.2:5002 allowed-ips 10.9.0.2/32
	wait_until "$LIMIT" happened peer-added "${pub[b]}"
	ping_ns a 10.9.0.2
	wait_until "$LIMIT" happened handshake "${pub[b]} (laptop)"
	wait_until "$LIMIT" happened up "${pub[b]} (laptop)"
	kill -TERM "$stream"
	wait "$stream" || status=$?
	expect_eq "status" "$status" 0
	expect_eq "standard error" "$(<"$tmp/events.err")" ""
}

# Nothing happens, and still it ends with its reader.
ends_with_its_reader() {
	local since=$SECONDS
	WGTOOL_KIND=$KIND in_ns a "$tool" monitor --json > >(sleep 1)
	expect_between "seconds" $((SECONDS - since)) 0 "$LIMIT"
}

whole_screen() {
	local how
	for how in q ^C SIGTERM SIGINT SIGHUP; do terminal ends "$how" "$tool" watch wg0; done
	terminal resize "$tool" watch
	terminal shows laptop '' "$tool" watch wg0
	terminal shows '[n=name]' n "$tool" watch wg0
}

# says PATTERN COMMAND...: status 1 and one line with the pattern
says() {
	local pattern=$1 status=0
	shift
	"$@" >"$tmp/said" 2>&1 || status=$?
	expect_eq "status of $*" "$status" 1
	expect_eq "lines of $*" "$(wc -l <"$tmp/said")" 1
	grep -q "$pattern" "$tmp/said" || {
		echo "$* said: $(<"$tmp/said")"
		return 1
	}
}

failures() {
	says "No interface .wg9.*show interfaces" ours show wg9
	says "lo. is no WireGuard interface" ours show lo
	says "No peer has this name" ours show wg0 --peer absent
	says 'wgtool monitor' ours watch wg0
	WGTOOL_KIND=$KIND says "run as root" in_ns a setpriv --bounding-set=-net_admin \
		--inh-caps=-net_admin "$tool" show wg0
	WGTOOL_KIND=nothing says "modprobe wgpp kind=nothing" in_ns a "$tool" show wg0
}

require_tools python3 setpriv
plan 9
pair_create
pair_outer 4
keygen c d
mkdir "$tmp/conf"
cat >"$tmp/conf/wg0.conf" <<-END
	[Interface]
	PrivateKey = $(<"$tmp/a.key")

	# Name = laptop
	[Peer]
	PublicKey = ${pub[b]}

	### Client nobody
	[Peer]
	PublicKey = ${pub[c]}

	[Peer]
	# friendly_name = printer
	PublicKey = ${pub[d]}
END
wg_set a peer "${pub[c]}" endpoint 192.0.2.2:9 allowed-ips 10.9.0.77/32

check "a peer is never, then up, and has its name" never_then_up
check "a peer that does not answer is rejected" rejected
check "JSON has what the dump has" one_document
check "no form shows secrets unasked" hides_secrets
check "rates" rates
check "the stream of events" events_stream
check "the stream ends with its reader" ends_with_its_reader
check "the whole screen comes and goes" whole_screen
check "failures say what to do" failures
finish
