#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Interoperation with the in-tree module, both in one kernel: the module under test is
# loaded with kind=wgpp for it. Both roles, IPv4 and IPv6 outside, with and without a
# preshared key.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      wg0   10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0
#      (under test, kind wgpp)                     (in-tree, kind wireguard)

. "$(dirname "$0")/common.sh"

plan $((NUM_INTEROP + 1))
require_tools wg ping modinfo
if [[ $WGPP_MODULE == in-tree ]]; then
	skip "both modules are loaded" "the in-tree module is the one under test"
	for ((i = 1; i <= NUM_INTEROP; i++)); do
		skip "interoperation, part $i" "the in-tree module is the one under test"
	done
	finish
fi
# wg speaks to the family "wireguard" alone, and here that is the in-tree module.
[[ ${WGTOOL##*/} != wg ]] || bail_out "set WGTOOL to wgtool, which can speak to kind wgpp"
modules_begin
both_loaded() {
	module_loaded
	[[ -d /sys/module/wireguard ]]
}
check "both modules are loaded" both_loaded
ns_kind[a]=wgpp ns_kind[b]=wireguard ns_tool[b]=wg
interop "in-tree"
finish
