#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Inside the machine that search.py looks through: a tunnel to the peer outside, two sessions
# long, then down, removed, unloaded. It stops before each step until search.py has seen enough.
#
#	guest.sh UDP-PORT CONTROL-PORT PEER-PUBLIC-KEY KEY-FOLDER
set -euo pipefail

port=$1 control=$2 peer=$3 keys=$4

modprobe -a virtio_net udp_tunnel ip6_udp_tunnel
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
# shellcheck disable=SC2046 # a list of names
modprobe -a $(modinfo -F depends "$WGPP_MODULE" | tr ',' ' ')
insmod "$WGPP_MODULE"
exec 3<>"/dev/tcp/10.0.2.2/$control"

reached() {
	echo "$1" >&3
	read -r _ <&3
}

ip link add wg0 type wireguard
"$WGTOOL" set wg0 private-key "$keys/private.key" peer "$peer" preshared-key "$keys/preshared.key" \
	endpoint "10.0.2.2:$port" allowed-ips 10.9.0.2/32
ip addr add 10.9.0.1/24 dev wg0
for size in 56 1300; do
	# Down forgets the session; each round makes one of its own.
	ip link set wg0 up
	ping -n -q -c 20 -i 0.05 -W 20 -s "$size" 10.9.0.2
	[[ $size == 1300 ]] || ip link set wg0 down
done
"$WGTOOL" show wg0
# Many at once, so that what the kernel kept of each is not overwritten by the next.
for _ in $(seq 20); do
	"$WGTOOL" set wg0 private-key "$keys/private.key" &
	"$WGTOOL" showconf wg0 >/dev/null &
done
wait
reached alive

ip link set wg0 down
sleep 1
reached down

ip link del wg0
# What is freed after a grace period has had several.
sleep 2
reached removed

rmmod "$(basename "$WGPP_MODULE" .ko)"
sleep 1
reached unloaded
