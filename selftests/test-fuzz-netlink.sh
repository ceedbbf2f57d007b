#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 60 s, 580 s with --debug
#
# Structured and random netlink requests from four threads, at two devices with live sessions,
# while a third carries a transfer of which every byte is verified. Each reply is legal, each
# dump well formed; afterwards configuration works. FUZZ_REQUESTS is the number of requests,
# WGPP_SEED repeats them.
# Time limit: 900 s
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0        carries the transfer
#      fuzz0 10.66.0.1 === tunnel === 10.66.0.2 fuzz0      gets the requests, in b
#                                               fuzz1      so does this

. "$(dirname "$0")/common.sh"

FUZZ_REQUESTS=${FUZZ_REQUESTS:-8000}
FUZZER=$SELFTEST_TOOLS/fuzz-netlink

fuzz() {
	in_ns b "$FUZZER" "$KIND" "$FUZZ_REQUESTS" "$tmp/fuzz-b.key" "${pub[fuzz-a]}" 192.0.2.1 5003 \
		wg0 fuzz0 fuzz1 >"$tmp/sent"
}

reached_the_device() {
	local accepted refused
	accepted=$(value "$tmp/sent" accepted)
	refused=$(value "$tmp/sent" refused)
	expect_between "accepted" "$accepted" $((FUZZ_REQUESTS / 5)) "$FUZZ_REQUESTS"
	expect_between "refused" "$refused" $((FUZZ_REQUESTS / 10)) $((FUZZ_REQUESTS * 2))
	expect_between "messages of dumps" "$(value "$tmp/sent" dump_messages)" $((FUZZ_REQUESTS / 20)) 1000000000
	expect_between "dumps left in the middle" "$(value "$tmp/sent" dumps_left)" $((FUZZ_REQUESTS / 200)) "$FUZZ_REQUESTS"
}

device() {
	wg_in b show wg0 private-key
	wg_in b show wg0 listen-port
	wg_in b show wg0 fwmark
	wg_in b show wg0 peers
	wg_in b show wg0 allowed-ips
	wg_in b show wg0 preshared-keys
}

configuration_works() {
	local device
	for device in fuzz0 fuzz1; do
		# Every peer goes, also those that an earlier request made.
		printf '[Interface]\nPrivateKey = %s\n' "$(<"$tmp/fuzz-b.key")" >"$tmp/empty.conf"
		wg_in b setconf "$device" "$tmp/empty.conf"
		expect_eq "peers of $device" "$(wg_in b show "$device" peers | wc -l)" 0
	done
	ip_ns b link set fuzz1 down
	wg_in b set fuzz0 listen-port 5004 fwmark 0 peer "${pub[fuzz-a]}" allowed-ips 10.66.0.1/32 \
		endpoint 192.0.2.1:5003
	ping_ns b 10.66.0.1
	ping_ns a 10.66.0.2
}

transfer_after() {
	in_ns a python3 "$TRAFFIC" tcp fd00:9::2 7000 300000
	ping_ns b 10.9.0.1
}

devices_go() {
	ip_ns b link del fuzz0
	ip_ns b link del fuzz1
	refuse ip_ns b link show fuzz0
}

plan 7
require_tools ping
[[ -x $FUZZER ]] || bail_out "$FUZZER is missing; run: make selftest-tools"
# The index of the device that is only read: no byte that changes by chance makes it of another's.
ns_index[b]=1515870810
pair_create
pair_outer 4
keygen fuzz-a fuzz-b
printf '%s\n' "link add fuzz0 type $KIND" "addr add 10.66.0.1/24 dev fuzz0" "link set fuzz0 up" |
	ip -n "$prefix-a" -batch -
printf '%s\n' "link add fuzz0 type $KIND" "addr add 10.66.0.2/24 dev fuzz0" "link set fuzz0 up" \
	"link add fuzz1 type $KIND" "addr add 10.67.0.2/24 dev fuzz1" "link set fuzz1 up" |
	ip -n "$prefix-b" -batch -
wg_in a set fuzz0 private-key "$tmp/fuzz-a.key" listen-port 5003 peer "${pub[fuzz-b]}" \
	allowed-ips 10.66.0.2/32
ping_ns a 10.9.0.2 >/dev/null
serve b
device >"$tmp/device"
# Traffic for whatever the requests leave of the devices.
bg b ping -q -n -i 0.05 10.66.0.1
bg b ping -q -n -i 0.05 -s 3000 10.67.0.9
bg a ping -q -n -i 0.05 -s 3000 10.66.0.2
# It has to go on, not to be fast.
TRANSFER_PAUSE_MS=400
transfers_start a 10.9.0.2 fd00:9::2
start=$SECONDS
check "$FUZZ_REQUESTS requests, each with a legal answer" fuzz
seconds=$((SECONDS - start))
sed 's/^/# /' "$tmp/sent"
check "transfers alongside arrived unchanged" transfers_end
check "requests were taken and refused, in $seconds s" reached_the_device
device >"$tmp/device.after"
check "the device that was only read is as it was" diff "$tmp/device" "$tmp/device.after"
check "configuration works" configuration_works
check "the transfer works" transfer_after
check "the devices go" devices_go
finish
