#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's wg and wg-quick drive the device unmodified. They speak to the family
# "wireguard" only, so the module under test has to have that kind.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      wgq0  10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0
#      (wg-quick)                                  10.80.0.1  (behind b)

. "$(dirname "$0")/common.sh"

NUM=12

# ip netns exec, because wg-quick reads /sys of the namespace.
quick() {
	ip netns exec "$prefix-a" wg-quick "$@" 2>&1
}

# All that wg-quick could leave behind.
footprint() {
	in_ns a bash -c 'ip -br link; ip -br addr; ip rule; ip -6 rule; ip route show table all;
		ip -6 route show table all; nft list ruleset' |
		# Counters of time and the order of local routes say nothing.
		sed 's/expires [0-9a-z]*//' | sort
}

show_fields() {
	wg_in a show wgq0 >"$tmp/show"
	grep -q "peer: ${pub[b]}" "$tmp/show"
	grep -q "allowed ips: 10.9.0.2/32" "$tmp/show"
	expect_eq "show peers" "$(wg_in a show wgq0 peers)" "${pub[b]}"
	expect_eq "show listen-port" "$(wg_in a show wgq0 listen-port)" 5001
	expect_eq "show public-key" "$(wg_in a show wgq0 public-key)" "${pub[a]}"
	expect_eq "show private-key" "$(wg_in a show wgq0 private-key)" "$(<"$tmp/a.key")"
	expect_eq "show preshared-keys" "$(wg_in a show wgq0 preshared-keys)" "${pub[b]}"$'\t'"$(<"$tmp/one.psk")"
	expect_eq "show fwmark" "$(wg_in a show wgq0 fwmark)" 0x21
	expect_eq "show endpoints" "$(wg_in a show wgq0 endpoints)" "${pub[b]}"$'\t'192.0.2.2:5002
	expect_eq "show persistent-keepalive" "$(wg_in a show wgq0 persistent-keepalive)" "${pub[b]}"$'\t'25
	expect_eq "show interfaces" "$(wg_in a show interfaces)" wgq0
}

set_all() {
	wg_in a set wgq0 listen-port 5001 fwmark 0x21 private-key "$tmp/a.key" peer "${pub[b]}" \
		preshared-key "$tmp/one.psk" endpoint 192.0.2.2:5002 persistent-keepalive 25 \
		allowed-ips 10.9.0.2/32,fd00:9::2/128
	show_fields
}

# showconf of one device makes an equal one through setconf.
showconf_setconf() {
	wg_in a showconf wgq0 >"$tmp/shown.conf"
	wg_in a setconf wgq0 /dev/null
	expect_eq "peers after an empty setconf" "$(wg_in a show wgq0 peers)" ""
	expect_eq "private key after an empty setconf" "$(wg_in a show wgq0 private-key)" "(none)"
	wg_in a setconf wgq0 "$tmp/shown.conf"
	show_fields
	expect_eq "showconf" "$(wg_in a showconf wgq0)" "$(<"$tmp/shown.conf")"
}

addconf() {
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.3/32\n' "${pub[c]}" >"$tmp/add.conf"
	wg_in a addconf wgq0 "$tmp/add.conf"
	expect_eq "peers" "$(wg_in a show wgq0 peers | sort)" "$(printf '%s\n' "${pub[b]}" "${pub[c]}" | sort)"
}

# syncconf removes what the file lacks and keeps the session of what it has.
syncconf() {
	local before
	ping_ns a 10.9.0.2
	before=$(peer_field a b handshake)
	wg_in a syncconf wgq0 "$tmp/shown.conf"
	expect_eq "peers" "$(wg_in a show wgq0 peers)" "${pub[b]}"
	expect_eq "handshake time" "$(peer_field a b handshake)" "$before"
	ping_ns a 10.9.0.2
}

# conf ALLOWED-IPS [LINE...]: $tmp/wgq0.conf, the lines in its [Interface].
conf() {
	(
		umask 077
		cat >"$tmp/wgq0.conf" <<EOC
[Interface]
# A comment that strip keeps
Address = 10.9.0.1/24, fd00:9::1/64
PrivateKey = $(<"$tmp/a.key")
ListenPort = 5001
$(printf '%s\n' "${@:2}")

[Peer]
PublicKey = ${pub[b]}
PresharedKey = $(<"$tmp/one.psk")
AllowedIPs = $1
Endpoint = 192.0.2.2:5002
EOC
	)
}

up_and_ping() {
	quick up "$tmp/wgq0.conf"
	ping_ns a 10.9.0.2
	ping_ns a fd00:9::2
	ping_ns b 10.9.0.1
}

down_leaves_nothing() {
	quick down "$tmp/wgq0.conf"
	footprint | diff "$tmp/before" -
}

up_plain() {
	conf 10.9.0.2/32,fd00:9::2/128,10.80.0.0/16 "PostUp = echo up %i >$tmp/hook" \
		"PostDown = echo down %i >$tmp/hook"
	up_and_ping
	ping_ns a 10.80.0.1
	expect_eq "hook" "$(<"$tmp/hook")" "up wgq0"
}

save() {
	wg_in a set wgq0 peer "${pub[b]}" persistent-keepalive 33
	quick save "$tmp/wgq0.conf"
	grep -q '^PersistentKeepalive = 33$' "$tmp/wgq0.conf"
	grep -q '^Address = 10.9.0.1/24$' "$tmp/wgq0.conf"
	grep -q "^PostUp = echo up %i" "$tmp/wgq0.conf"
	grep -q "^PrivateKey = $(<"$tmp/a.key")\$" "$tmp/wgq0.conf"
}

down_plain() {
	down_leaves_nothing
	expect_eq "hook" "$(<"$tmp/hook")" "down wgq0"
}

# Everything through the tunnel: policy routing, and the outer packets around it.
up_default_route() {
	conf 0.0.0.0/0,::/0
	up_and_ping
	ping_ns a 10.80.0.1
	grep -q 'not from all fwmark 0x[0-9a-f]* lookup' <<<"$(in_ns a ip rule)"
	grep -q 'dev wgq0' <<<"$(in_ns a ip route get 203.0.113.9)"
	grep -q 'dev eth-b' <<<"$(in_ns a ip route get 192.0.2.2 mark "$(wg_in a show wgq0 fwmark)")"
}

strip() {
	conf 10.9.0.2/32
	quick strip "$tmp/wgq0.conf" >"$tmp/stripped"
	refuse grep -q Address "$tmp/stripped"
	ip_ns a link add wgq0 type "$KIND"
	wg_in a setconf wgq0 "$tmp/stripped"
	expect_eq "listen port" "$(wg_in a show wgq0 listen-port)" 5001
	expect_eq "peers" "$(wg_in a show wgq0 peers)" "${pub[b]}"
	ip_ns a link del wgq0
}

failing_hook() {
	conf 10.9.0.2/32 "PostUp = false"
	refuse quick up "$tmp/wgq0.conf"
	footprint | diff "$tmp/before" -
}

plan $NUM
if [[ $KIND != wireguard ]]; then
	for ((i = 1; i <= NUM; i++)); do
		skip "wg and wg-quick, part $i" "the kind is $KIND"
	done
	finish
fi
require_tools wg wg-quick nft ping
ns_tool[a]=wg ns_dev[a]=wgq0
keygen a b c
pskgen one
ns_create a b
veth_link a b
addr_add a eth-b 192.0.2.1/24 2001:db8::1/64
addr_add b eth-a 192.0.2.2/24 2001:db8::2/64
wg_link b 10.9.0.2/24 fd00:9::2/64 10.80.0.1/32
wg_set b private-key "$tmp/b.key" listen-port 5002 peer "${pub[a]}" \
	preshared-key "$tmp/one.psk" allowed-ips 10.9.0.1/32,fd00:9::1/128

wg_link a 10.9.0.1/24 fd00:9::1/64
check "wg set, and each field of wg show" set_all
check "wg showconf and wg setconf" showconf_setconf
check "wg addconf" addconf
check "wg syncconf keeps the session" syncconf
ip_ns a link del wgq0

footprint >"$tmp/before"
check "wg-quick up: addresses, routes, hooks, traffic" up_plain
check "wg-quick save" save
check "wg-quick down leaves nothing" down_plain
check "wg-quick up with a default route" up_default_route
check "wg-quick down leaves nothing of the default route" down_leaves_nothing
check "wg-quick strip is what wg setconf takes" strip
check "wg-quick up with a failing hook leaves nothing" failing_hook
check "wg show interfaces says there is none" expect_eq interfaces "$(wg_in a show interfaces)" ""
finish
