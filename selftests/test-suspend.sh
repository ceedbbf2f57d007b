#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Before the machine sleeps all session keys are wiped, so that none lies in its memory. The
# kernel's own test mode goes as far as freezing the processes, and wakes up again.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

DELAY=/sys/module/suspend/parameters/pm_test_delay

rehearse_suspend() {
	[[ ! -w $DELAY ]] || echo 1 >"$DELAY"
	echo freezer >/sys/power/pm_test
	echo freeze >/sys/power/state
	echo none >/sys/power/pm_test
}

# A session that lives is renewed after two minutes; one that is gone, by the next packet, which
# may be a keepalive that fell due meanwhile. The rehearsal takes a second or more, which is what
# the time of the handshake is told in.
wiped() {
	local before
	ping_ns a 10.9.0.2
	before=$(peer_field a b handshake)
	rehearse_suspend
	ping_ns a 10.9.0.2
	refuse test "$(peer_field a b handshake)" == "$before"
}

plan 2
require_tools ping
pair_create
pair_outer 4
ping_ns a 10.9.0.2 >/dev/null
if [[ -w /sys/power/pm_test && -w /sys/power/state ]]; then
	check "sleep wipes the sessions" wiped
else
	skip "sleep wipes the sessions" "this kernel has no test mode of suspend (CONFIG_PM_SLEEP_DEBUG)"
fi
check "the tunnel still works" ping_ns b 10.9.0.1
finish
