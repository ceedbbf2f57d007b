#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 60 s, 760 s with --debug
#
# The module is unloaded and loaded again and again while both ends send. In the debug kernel
# 200 times; elsewhere as often as fits into half a minute. RELOADS chooses another number.
# Time limit: 1500 s
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

if [[ -n ${RELOADS-} || -e /sys/kernel/debug/failslab ]]; then
	num_wanted=${RELOADS:-200} limit_s=1400
else
	num_wanted=200 limit_s=30
fi

# Until an answer came: the module goes while a session is in use and not before there is one.
flows() {
	wait_until "$LIMIT" received
}

received() {
	(($(peer_field a b rx) > 1000))
}

reload() {
	local rounds=0 start=$SECONDS
	while ((rounds < num_wanted && SECONDS - start < limit_s)); do
		module_unload
		refuse module_loaded
		module_load
		pair_up
		# Half of them with live sessions, half in the middle of the first handshake.
		((rounds % 2)) || flows
		rounds=$((rounds + 1))
		echo "$rounds" >"$tmp/rounds"
	done
	flows
	[[ $limit_s == 30 ]] || expect_eq "reloads" "$rounds" "$num_wanted"
}

plan 2
require_tools ping modprobe rmmod
keygen a b
ns_create a b
veth_link a b
addr_add a eth-b 192.0.2.1/24
addr_add b eth-a 192.0.2.2/24
pair_files
pair_up
# Echoes of one packet and of several fragments, both ways; ping goes on after errors. Often
# enough for some to be under way at any time, and not so often that loading takes long.
bg a ping -q -n -i 0.02 -s 100 fd00:9::2
bg a ping -q -n -i 0.05 -s 4000 10.9.0.2
bg b ping -q -n -i 0.05 -s 4000 10.9.0.1
flows
echo 0 >"$tmp/rounds"
check "the module unloaded and loaded under traffic" reload
echo "# $(<"$tmp/rounds") times"
serve b
check "after $(<"$tmp/rounds") reloads the tunnel carries a transfer" \
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 1000000
finish
