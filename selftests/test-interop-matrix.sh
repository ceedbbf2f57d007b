#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 1000 s
#
# Interoperation over time: with the in-tree module, with wireguard-go and with itself, each
# scenario in both roles. scripts/interop-matrix.sh makes a table of the results, which are
# named "PEER: SCENARIO: WHO" for that.
# Time limit: 1200 s
#
# Rekeying takes its time beside the others, six pairs of this kind with a preshared key:
#
#   PEER-we-1  eth-PEER-we-2 192.0.2.1 ---- veth ---- 192.0.2.2 eth-PEER-we-1  PEER-we-2
#              (begins)      10.9.0.1  === tunnel === 10.9.0.2
#
# The others, in which a is under test and b is the peer:
#
#   a  eth-b     192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a     b
#      wg0       10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0
#      eth-flood 192.0.3.2                            192.0.4.2              eth-flood
#          |                                                                     |
#          +---- veth ---- eth-a 192.0.3.1  flood  192.0.4.1 eth-b ---- veth ----+
#                          (sends as 198.18.0.0/16)

. "$(dirname "$0")/common.sh"

PEERS=(in-tree wireguard-go wgpp)
# Two rekeyings, 120 s apart, and what it takes to see the second one.
REKEY_S=245
ECHO_MS=500

# peer_is NS PEER: what runs in NS from now on.
peer_is() {
	case $2 in
	in-tree) ns_kind[$1]=wireguard ns_tool[$1]=wg ns_dev[$1]=wg0 ;;
	# Its control socket has the name of the device and is seen in every namespace.
	wireguard-go) ns_kind[$1]=go ns_tool[$1]=wg ns_dev[$1]=go-$1 ;;
	wgpp) ns_kind[$1]=wgpp ns_tool[$1]=$WGTOOL ns_dev[$1]=wg0 ;;
	esac
}

# ---- rekeying

# Names are short, because they are part of names of links.
rekey_name() {
	echo "${1:0:2}-$2"
}

# rekey_start PEER we|it
rekey_start() {
	local name
	name=$(rekey_name "$1" "$2")
	if [[ $2 == we ]]; then
		peer_is "$name-1" wgpp
		peer_is "$name-2" "$1"
	else
		peer_is "$name-1" "$1"
		peer_is "$name-2" wgpp
	fi
	observed_pair "$name-1" "$name-2" interop
	in_ns "$name-1" ping -q -n -i 0.$((ECHO_MS / 100)) -c $((REKEY_S * 1000 / ECHO_MS)) -W "$LIMIT" \
		10.9.0.2 >"$tmp/$name.echoes" 2>&1 &
	rekey_pids+=("$!")
	background+=("$!")
}

# Nothing is lost, both ends use three keys, and who began goes on beginning.
rekeyed() {
	local name
	name=$(rekey_name "$1" "$2")
	no_echo_lost "$tmp/$name.echoes" $((REKEY_S * 1000 / ECHO_MS))
	expect_eq "keys of who begins" "$(events "$name-1" first 5001 | wc -l)" 3
	expect_eq "keys of the other" "$(events "$name-1" first 5002 | wc -l)" 3
	expect_eq "initiations" "$(events "$name-1" initiation 5001 | wc -l)" 3
	expect_eq "initiations of the other" "$(events "$name-1" initiation 5002 | wc -l)" 0
}

# ---- the others

# fresh [PSK-NAME]: new devices at both ends, with nothing behind them.
fresh() {
	[[ $pair_is_up == 0 ]] || pair_delete
	pair_devices "$@"
	pair_is_up=1
}

# First and second of a and b: who does it, and the other.
roles() {
	if [[ $1 == we ]]; then echo a b; else echo b a; fi
}

inner4() {
	if [[ $1 == a ]]; then echo 10.9.0.1; else echo 10.9.0.2; fi
}

port_of() {
	if [[ $1 == a ]]; then echo 5001; else echo 5002; fi
}

# Data arrives only once both have the same preshared key.
psk_scenario() {
	local first second
	read -r first second < <(roles "$1")
	wg_set b peer "${pub[a]}" preshared-key "$tmp/other.psk"
	no_ping_ns "$first" "$(inner4 "$second")"
	refuse handshake_done a b
	refuse handshake_done b a
	wg_set b peer "${pub[a]}" preshared-key "$tmp/interop.psk"
	# The next attempt comes after 5 s.
	wait_until 60 in_ns "$first" ping -n -c 1 -W 1 "$(inner4 "$second")"
	interop_round "$first"
}

# heard_from NS PEER ENDPOINT
heard_from() {
	[[ $(peer_field "$1" "$2" endpoint) == "$3" ]]
}

# moved ROAMING OTHER ENDPOINT: it is found there, and answered.
moved() {
	wait_until 60 in_ns "$1" ping -n -c 1 -W 1 "$(inner4 "$2")"
	wait_until "$LIMIT" heard_from "$2" "$1" "$3"
	ping_ns "$2" "$(inner4 "$1")"
}

# roaming_scenario PEER we|it: to another address, to IPv6, to another IPv6 address and back.
roaming_scenario() {
	local who other last session link
	read -r who other < <(roles "$2")
	last=1 link=eth-b
	[[ $who == a ]] || last=2 link=eth-a
	ping_ns "$who" "$(inner4 "$other")"
	session=$(peer_field "$other" "$who" handshake)
	expect_eq "endpoint" "$(peer_field "$other" "$who" endpoint)" "192.0.2.$last:500$last"
	addr_add "$who" "$link" "192.0.2.1$last/24" "2001:db8::1$last/64"
	ip_ns "$who" addr del "192.0.2.$last/24" dev "$link"
	moved "$who" "$other" "192.0.2.1$last:500$last"
	wg_set "$who" peer "${pub[$other]}" endpoint "[2001:db8::$((3 - last))]:500$((3 - last))"
	ip_ns "$who" addr del "2001:db8::1$last/64" dev "$link"
	moved "$who" "$other" "[2001:db8::$last]:500$last"
	addr_add "$who" "$link" "2001:db8::1$last/64"
	ip_ns "$who" addr del "2001:db8::$last/64" dev "$link"
	moved "$who" "$other" "[2001:db8::1$last]:500$last"
	wg_set "$who" peer "${pub[$other]}" endpoint "192.0.2.$((3 - last)):500$((3 - last))"
	moved "$who" "$other" "192.0.2.1$last:500$last"
	in_ns "$who" python3 "$TRAFFIC" tcp "$(inner4 "$other")" 7000 100000
	# All with one session. wireguard-go gives up a source address that is gone only when it looks
	# for a new one, 15 s later.
	[[ $1 == wireguard-go && $2 == it ]] ||
		expect_eq "time of the handshake" "$(peer_field "$other" "$who" handshake)" "$session"
}

# addresses_restore: whatever roaming left.
addresses_restore() {
	local ns last link
	for ns in a b; do
		last=1 link=eth-b
		[[ $ns == a ]] || last=2 link=eth-a
		ip_ns "$ns" addr flush dev "$link" scope global
		addr_add "$ns" "$link" "192.0.2.$last/24" "2001:db8::$last/64"
	done
}

# forget NS PEER: NS begins anew with it.
forget() {
	local port
	port=$(port_of "$2")
	wg_set "$1" peer "${pub[$2]}" remove
	wg_set "$1" peer "${pub[$2]}" endpoint "192.0.2.${port:3}:$port" allowed-ips "$(inner4 "$2")/32"
}

# Forged initiations earn cookie replies and no response, and so does the first honest one; the
# second, 5 s later, has the cookie in it and gets through.
cookie_scenario() {
	local loaded newcomer attempt
	read -r loaded newcomer < <(roles "$1")
	wait_until "$LIMIT" counted_beyond flood cookies 100
	expect_eq "cookies" "$(counted "$newcomer" cookies)" 0
	for ((attempt = 0; attempt < 10; attempt++)); do
		wait_until 150 in_ns "$newcomer" ping -n -c 1 -W 1 "$(inner4 "$loaded")"
		# Who is fast is under load for a part of each burst only, and may have answered at once.
		! counted_beyond "$newcomer" cookies 0 || break
		forget "$newcomer" "$loaded"
	done
	flooding
	handshake_done "$newcomer" "$loaded"
	counted_beyond "$newcomer" cookies 0
	counted_beyond "$newcomer" responses 0
	expect_eq "responses to forged sources" "$(counted flood responses)" 0
}

# cookies PEER we|it
cookies() {
	local loaded newcomer target=192.0.3.2 percent=20
	read -r loaded newcomer < <(roles "$2")
	if [[ $1 == wireguard-go && $loaded == b && $(nproc) == 1 ]]; then
		# Who reads from the socket and who works on the queue take turns: it hardly grows.
		skip "$1: cookie: $2" "wireguard-go with one processor is not under load for long"
		return
	fi
	[[ $loaded == a ]] || target=192.0.4.2
	# A program is not slowed down by a debug kernel: with less it may never be under load.
	[[ $1 != wireguard-go || $loaded == a ]] || percent=100
	fresh
	pair_outer 4
	watch flood "$(port_of "$loaded")"
	watch "$newcomer" "$(port_of "$loaded")"
	# An emulated or a debug kernel would have no time left if each were answered.
	flood_start flood "$target" "$(port_of "$loaded")" "${pub[$loaded]}" "$percent"
	check "$1: cookie: $2" cookie_scenario "$2"
	flood_stop
	in_ns flood nft delete table inet watch
	in_ns "$newcomer" nft delete table inet watch
}

plan $((${#PEERS[@]} * 2 * 6))
require_tools wg wireguard-go ping nft modinfo
if [[ $WGPP_MODULE == in-tree ]]; then
	for ((i = 0; i < ktap_planned; i++)); do
		skip "interoperation, part $i" "the in-tree module is the one under test"
	done
	finish
fi
[[ ${WGTOOL##*/} != wg ]] || bail_out "set WGTOOL to wgtool, which can speak to kind wgpp"
modprobe tun
modules_begin
pskgen interop
pskgen other

rekey_pids=()
for peer in "${PEERS[@]}"; do
	rekey_start "$peer" we
	rekey_start "$peer" it
done

keygen a b
ns_create a b flood
veth_link a b
veth_link a flood
veth_link b flood
addresses_restore
addr_add a eth-flood 192.0.3.2/24
addr_add b eth-flood 192.0.4.2/24
addr_add flood eth-a 192.0.3.1/24
addr_add flood eth-b 192.0.4.1/24
ip_ns a route add "$FLOOD_NET" via 192.0.3.1
ip_ns b route add "$FLOOD_NET" via 192.0.4.1
serve a
serve b
peer_is a wgpp
pair_is_up=0
for peer in "${PEERS[@]}"; do
	[[ $pair_is_up == 0 ]] || pair_delete
	pair_is_up=0
	peer_is b "$peer"
	for who in we it; do
		read -r first _ < <(roles "$who")
		fresh
		pair_outer 4
		check "$peer: IPv4: $who" interop_round "$first"
		fresh
		pair_outer 6
		check "$peer: IPv6: $who" interop_round "$first"
		fresh interop
		pair_outer 4
		check "$peer: preshared key: $who" psk_scenario "$who"
		fresh
		pair_outer 4
		check "$peer: roaming: $who" roaming_scenario "$peer" "$who"
		addresses_restore
	done
done
wait "${rekey_pids[@]}" || true
observed
for peer in "${PEERS[@]}"; do
	check "$peer: rekeying: we" rekeyed "$peer" we
	check "$peer: rekeying: it" rekeyed "$peer" it
done
# Last, because they take the processors' time.
for peer in "${PEERS[@]}"; do
	pair_delete
	pair_is_up=0
	peer_is b "$peer"
	cookies "$peer" we
	cookies "$peer" it
done
note "in-tree: $(modinfo -F version wireguard), kernel $(uname -r)"
note "wireguard-go: $(wireguard-go --version | sed -n '1s/.* v//p')"
note "wgpp: $(modinfo -F version "$WGPP_MODULE")"
finish
