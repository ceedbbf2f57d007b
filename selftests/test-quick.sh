#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 220 s
# Time limit: 900 s
#
# wgtool up and down against the system's wg-quick(8): the same file in twin namespaces must give the
# same links, addresses, routes, rules, firewall, sysctls and calls of resolvconf, and down must
# leave nothing in either. Then what wg-quick cannot do: take back, clean up after kill -9, apply.
#
#   namespaces q (wg-quick) and t (wgtool), each alone:
#   up0   192.0.2.2/24, 2001:db8::2/64, default routes by .1 and ::1 (a dummy, nobody answers)
#   wgq0  what the file asks for
#
#   namespaces a and b (common.sh): a full tunnel from a to b, with packets

. "$(dirname "$0")/common.sh"

STEPS=$SELFTESTS/kill_steps.py
tool=$WGTOOL
[[ $(basename "$tool") == wgtool ]] || tool=$SELFTESTS/../build/tool/wgtool

# Records what it is asked for: a real one would change the machine's files.
stub_resolvconf() {
	mkdir "$tmp/bin"
	cat >"$tmp/bin/resolvconf" <<'STUB'
#!/bin/bash
{
	echo "resolvconf $*"
	[[ $1 != -a ]] || cat
} >>"$DNS_LOG"
STUB
	chmod +x "$tmp/bin/resolvconf"
	export PATH=$tmp/bin:$PATH
}

# The device in each is of the same name, so that whatever mentions it can be compared.
twin_create() {
	local ns
	ns_create q t
	for ns in q t; do
		ip_ns "$ns" -batch - <<-'EOB'
			link add up0 address 02:00:00:00:00:01 type dummy
			addr add 192.0.2.2/24 dev up0
			addr add 2001:db8::2/64 dev up0 nodad
			link set up0 up
			route add default via 192.0.2.1
			route add default via 2001:db8::1
			route add 203.0.113.0/24 via 192.0.2.1 mtu 1400
		EOB
	done
}

# shellcheck disable=SC2016 # expanded by the inner shell
# footprint NS: all that can be there, without numbers that say nothing, in a steady order. The two
# programs' marks for what is theirs read alike.
footprint() {
	ip netns exec "$prefix-$1" bash -c '
		ip -o -d link show | sed "s/^[0-9]*: //; s/link\/.*ether [^ ]* //"
		ip -o addr show | sed "s/^[0-9]*: //"
		ip rule; ip -6 rule
		ip -4 route show table all | sort; ip -6 route show table all | sort
		for family in ip ip6; do
			for name in wg-quick wgtool; do nft -s list table $family $name-wgq0 2>&-; done
		done
		grep . /proc/sys/net/ipv4/conf/{all,wgq0}/{src_valid_mark,rp_filter,forwarding} 2>&-
		wg showconf wgq0 2>&-' |
		sed -E 's/ proto (87|unspec)//; s/(wg-quick|wgtool)-wgq0/firewall-wgq0/; s/expires [0-9a-z]*//
			s/ group [0-9a-z]+//; s/valid_lft.*//; s/(src_valid_mark:).*/\1/' || true
}

# quick NS PROGRAM ARGUMENTS...
quick() {
	local ns=$1
	shift
	DNS_LOG=$tmp/dns.$ns WGTOOL_KIND=$KIND ip netns exec "$prefix-$ns" "$@" 2>&1
}

# conf [LINE...]: $tmp/wgq0.conf; lines of [Interface], then "--", then lines of [Peer].
conf() {
	local line
	{
		echo "[Interface]"
		echo "PrivateKey = $(<"$tmp/a.key")"
		echo "ListenPort = 5001"
		for line in "$@"; do
			if [[ $line == -- ]]; then
				printf '\n[Peer] # the other one\nPublicKey = %s\n' "${pub[b]}"
			else
				echo "$line"
			fi
		done
	} >"$tmp/wgq0.conf"
}

# fresh: without what a check that failed left behind
fresh() {
	local ns
	for ns in q t; do
		ip_ns "$ns" link del wgq0 2>/dev/null || true
		in_ns "$ns" nft flush ruleset
		ip_ns "$ns" rule flush
		ip_ns "$ns" rule add lookup main pref 32766
		ip_ns "$ns" rule add lookup default pref 32767
		ip_ns "$ns" -6 rule flush
		ip_ns "$ns" -6 rule add lookup main pref 32766
	done
}

# twins: the file in $tmp/wgq0.conf brought up and down by both
twins() {
	: >"$tmp/dns.q"
	: >"$tmp/dns.t"
	fresh
	footprint t >"$tmp/before"
	quick q wg-quick up "$tmp/wgq0.conf"
	quick t "$tool" up "$tmp/wgq0.conf"
	footprint q >"$tmp/up.q"
	footprint t >"$tmp/up.t"
	diff -u "$tmp/up.q" "$tmp/up.t"
	grep -q wgq0 "$tmp/up.t"
	refuse quick t "$tool" up "$tmp/wgq0.conf"
	# What is up says what its file says.
	quick t "$tool" diff "$tmp/wgq0.conf"
	quick q wg-quick down "$tmp/wgq0.conf"
	quick t "$tool" down "$tmp/wgq0.conf"
	footprint t | diff -u "$tmp/before" -
	footprint q | diff -u "$tmp/before" -
	diff -u "$tmp/dns.q" "$tmp/dns.t"
}

plain() {
	conf "Address = 10.9.0.1/24, fd00:9::1/64" "# PostUp = false" \
		"PostUp = echo up %i; ip addr show %i | grep -q 10.9.0.1" "PreDown = echo down %i" -- \
		"PresharedKey = $(<"$tmp/one.psk")" "Endpoint = 203.0.113.1:51820" \
		"AllowedIPs = 10.9.0.7/32, 10.80.0.0/16,10.80.1.0/24, fd00:80::/48" "PersistentKeepalive = 25"
	twins
	grep -q 'mtu 1320' "$tmp/up.t"
}

full() {
	conf "Address = 10.9.0.1/32" "Address = fd00:9::1" "DNS = 10.9.0.53, 2001:db8::53,corp.example" \
		-- "Endpoint = 192.0.2.1:51820" "AllowedIPs = 0.0.0.0/0, ::/0, 10.80.0.0/16"
	twins
	grep -q 'not from all fwmark 0xca6c lookup 51820' "$tmp/up.t"
	grep -q 'mtu 1420' "$tmp/up.t"
	grep -q 'search corp.example' "$tmp/dns.t"
}

full_marked() {
	conf "Address = 10.9.0.1/24" "FwMark = 0x1234" "SaveConfig = false" -- \
		"AllowedIPs = 0.0.0.0/0" "Endpoint = [2001:db8::1]:51820"
	twins
	grep -q 'not from all fwmark 0x1234 lookup 4660' "$tmp/up.t"
}

# Its table is taken, so the next one is.
full_other_table() {
	ip_ns q route add 198.51.100.0/24 dev up0 table 51820
	ip_ns t route add 198.51.100.0/24 dev up0 table 51820
	conf "Address = 10.9.0.1/24" -- "AllowedIPs = ::/0"
	twins
	grep -q 'lookup 51821' "$tmp/up.t"
}

own_table() {
	conf "Address = 10.9.0.1/24" "Table = 99" "MTU = 1300" -- \
		"AllowedIPs = 0.0.0.0/0, 10.9.0.0/24, fd00::/8"
	twins
	grep -q 'default dev wgq0 table 99' "$tmp/up.t"
}

no_table() {
	conf "Address = 10.9.0.1/24" "Table = off" -- "AllowedIPs = 0.0.0.0/0, 10.80.0.0/16"
	twins
}

# A hook fails at the end: all is taken back, and what hooks did as well.
taken_back() {
	fresh
	footprint t >"$tmp/before"
	conf "Address = 10.9.0.1/24" "PreUp = echo pre-up >>$tmp/hooks" \
		"PostUp = echo post-up >>$tmp/hooks" "PostUp = false" \
		"PreDown = echo pre-down >>$tmp/hooks" "PostDown = echo post-down >>$tmp/hooks" -- \
		"AllowedIPs = 0.0.0.0/0, ::/0"
	refuse quick t "$tool" up "$tmp/wgq0.conf"
	footprint t | diff -u "$tmp/before" -
	expect_eq "hooks that ran" "$(xargs <"$tmp/hooks")" "pre-up post-up pre-down post-down"
}

# A broken file, in each line of it, changes nothing.
broken_files() {
	local line
	fresh
	conf "Address = 10.9.0.1/24" -- "AllowedIPs = 10.80.0.0/16"
	cp "$tmp/wgq0.conf" "$tmp/good.conf"
	quick t "$tool" up "$tmp/wgq0.conf"
	footprint t >"$tmp/before"
	for line in "Address = 10.9.0.300/24" "MTU = x" "Table = nowhere" "SaveConfig = perhaps" \
		"ListenPort = 70000" "Nonsense = 1" "DNS = a;b" "PostUp ="; do
		sed "3i $line" "$tmp/good.conf" >"$tmp/wgq0.conf"
		refuse quick t "$tool" apply "$tmp/wgq0.conf" >"$tmp/said"
		grep -q "wgq0.conf:3: " "$tmp/said"
	done
	footprint t | diff -u "$tmp/before" -
	quick t "$tool" down "$tmp/good.conf" || quick t ip link del wgq0
}

kind_errors() {
	fresh
	conf "Address = 10.9.0.1/24" -- "AllowedIPs = 10.80.0.0/16"
	cp "$tmp/wgq0.conf" "$tmp/up0.conf"
	refuse quick t "$tool" down "$tmp/wgq0.conf" >"$tmp/said"
	grep -q "There is no interface .wgq0" "$tmp/said"
	refuse quick t "$tool" down "$tmp/up0.conf" >"$tmp/said"
	grep -q "of kind .dummy" "$tmp/said"
	refuse quick t "$tool" up "$tmp/up0.conf" >"$tmp/said"
	grep -q "already exists" "$tmp/said"
	refuse quick t "$tool" up "$tmp/absent.conf"
	refuse quick t "$tool" up /etc/passwd
}

# up and down killed at each step; clean makes an end of it.
killed() {
	fresh
	conf "Address = 10.9.0.1/24, fd00:9::1/64" "PostUp = true" "DNS = 10.9.0.53" -- \
		"AllowedIPs = 0.0.0.0/0, ::/0, 10.80.0.0/16"
	footprint t >"$tmp/before"
	DNS_LOG=$tmp/dns.t WGTOOL_KIND=$KIND PREFIX=$prefix-t in_ns t python3 "$STEPS" "$tool" \
		"$tmp/wgq0.conf" "${KILL_EVERY:-4}"
	footprint t | diff -u "$tmp/before" -
}

# Full tunnel with packets, and a file that changes under a session.
apply_keeps_session() {
	local before
	conf "Address = 10.9.0.1/24, fd00:9::1/64" -- "AllowedIPs = 0.0.0.0/0, ::/0" \
		"Endpoint = 192.0.2.2:5002"
	quick a "$tool" up "$tmp/wgq0.conf"
	ping_ns a 10.9.0.2
	ping_ns a 10.80.0.1
	before=$(peer_field a b handshake)
	conf "Address = 10.9.0.1/24" "MTU = 1300" -- "AllowedIPs = 10.9.0.2/32, 10.80.0.0/16" \
		"Endpoint = 192.0.2.2:5002"
	refuse quick a "$tool" diff "$tmp/wgq0.conf"
	quick a "$tool" apply "$tmp/wgq0.conf"
	quick a "$tool" diff "$tmp/wgq0.conf"
	ping_ns a 10.9.0.2
	ping_ns a 10.80.0.1
	expect_eq "handshake" "$(peer_field a b handshake)" "$before"
	refuse grep fwmark <<<"$(ip_ns a rule)"
	in_ns a ip link show wgq0 | grep -q 'mtu 1300'
}

# One peer of 200 changes: one message with one peer goes to the kernel, and none without a change.
apply_sends_one() {
	local i
	cp -p "$tmp/wgq0.conf" "$tmp/small.conf"
	for ((i = 0; i < 200; i++)); do
		printf '[Peer]\nPublicKey = %sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAllowedIPs = 10.81.%s.0/24\n' \
			"$((1000 + i))" "$i"
	done >>"$tmp/wgq0.conf"
	quick a "$tool" apply "$tmp/wgq0.conf"
	expect_eq "peers" "$(wg_in a show wgq0 peers | wc -l)" 201
	sed -i 's#10.81.77.0/24#10.82.77.0/24#' "$tmp/wgq0.conf"
	expect_eq "peers sent" "$(in_ns a python3 "$SELFTESTS/count_peers.py" "$KIND" \
		"$tool" apply "$tmp/wgq0.conf")" "1 message, 1 peer"
	expect_eq "peers sent without a change" "$(in_ns a python3 "$SELFTESTS/count_peers.py" \
		"$KIND" "$tool" apply "$tmp/wgq0.conf")" "0 messages, 0 peers"
	wg_in a show wgq0 allowed-ips | grep -q 10.82.77.0/24
}

save_keeps_comments() {
	cp -p "$tmp/small.conf" "$tmp/wgq0.conf"
	quick a "$tool" apply "$tmp/wgq0.conf"
	quick a "$tool" save "$tmp/wgq0.conf"
	diff -u "$tmp/small.conf" "$tmp/wgq0.conf"
	wg_in a set wgq0 peer "${pub[b]}" persistent-keepalive 33 peer "${pub[c]}" allowed-ips 10.9.0.9/32
	quick a "$tool" save "$tmp/wgq0.conf"
	grep -qx '\[Peer\] # the other one' "$tmp/wgq0.conf"
	grep -qx 'PersistentKeepalive = 33' "$tmp/wgq0.conf"
	grep -qx "PublicKey = ${pub[c]}" "$tmp/wgq0.conf"
	quick a "$tool" diff "$tmp/wgq0.conf"
	expect_eq "mode" "$(stat -c %a "$tmp/wgq0.conf")" 600
	quick a "$tool" down "$tmp/wgq0.conf"
	refuse ip_ns a link show wgq0
}

plan 14
umask 077
require_tools wg wg-quick nft ping
[[ $KIND == wireguard ]] || bail_out "wg-quick knows the kind wireguard only"
ns_dev[a]=wgq0
keygen a b c
pskgen one
stub_resolvconf
twin_create

check "wg-quick and wgtool: addresses, routes, hooks, MTU" plain
check "wg-quick and wgtool: all of IPv4 and IPv6, DNS" full
check "wg-quick and wgtool: all of IPv4, with a mark" full_marked
check "wg-quick and wgtool: all of IPv6, when its table is taken" full_other_table
check "wg-quick and wgtool: a table that is given" own_table
check "wg-quick and wgtool: no routes" no_table
check "a failing hook takes all back, what hooks did too" taken_back
check "a broken file changes nothing, and its line is named" broken_files
check "wrong devices and files" kind_errors
check "clean ends what was killed" killed

ns_create a b
veth_link a b
addr_add a eth-b 192.0.2.1/24
addr_add b eth-a 192.0.2.2/24
wg_link b 10.9.0.2/24 fd00:9::2/64 10.80.0.1/32
wg_set b private-key "$tmp/b.key" listen-port 5002 peer "${pub[a]}" \
	allowed-ips 10.9.0.1/32,fd00:9::1/128
check "apply changes routes, rules and MTU and keeps the session" apply_keeps_session
check "apply sends the peer that differs" apply_sends_one
check "save keeps comments" save_keeps_comments
check "nothing was left in q and t" expect_eq "devices" "$(ip_ns q link; ip_ns t link | grep -c wgq0)" \
	"$(ip_ns q link; echo 0)"
finish
