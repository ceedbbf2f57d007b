#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Interoperation with wireguard-go, an independent implementation in user space, in both
# roles, over IPv4 and IPv6 outside, with and without a preshared key.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      wg0   10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wgo0 (wireguard-go)

. "$(dirname "$0")/common.sh"

plan $NUM_INTEROP
require_tools wireguard-go wg ping
modprobe tun
# Its control socket has the name of the device and is seen in every namespace.
ns_kind[b]=go ns_tool[b]=wg ns_dev[b]=wgo0
interop "wireguard-go"
finish
