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

# Under a session that lives, an echo costs one message; here it needs an initiation first.
wiped() {
	local tx
	ping_ns a 10.9.0.2 -s 56
	rehearse_suspend
	tx=$(peer_field a b tx)
	ping_ns a 10.9.0.2 -s 56
	expect_eq "sent after the sleep" $(($(peer_field a b tx) - tx)) $((148 + 128))
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
