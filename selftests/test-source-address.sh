#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
#
# A peer answers from the address that it was contacted at, also when routing would prefer
# another one. When that address goes, or the way leads over another link, the next packet
# leaves from an address that works, and the other end follows.
#
#   a                                       b
#   eth-b 192.0.2.1     ---- veth ----      192.0.2.2 .12 .22 .32            eth-a
#         2001:db8::1                       2001:db8::2 ::12 ::22 ::32
#   alt-b 192.0.3.1     ---- veth ----      192.0.3.2                        alt-a
#         2001:db8:3::1                     2001:db8:3::2
#   wg0   10.9.0.1      ==== tunnel ====    10.9.0.2                         wg0
#
# What a takes for b's endpoint is the source that b used last.

. "$(dirname "$0")/common.sh"

# Per family: format of an endpoint with the last part left out
declare -A outside=([4]="192.0.2.%s:5002" [6]="[2001:db8::%s]:5002")
declare -A network=([4]="192.0.2." [6]="2001:db8::")
declare -A length=([4]=24 [6]=64)

endpoint() {
	# shellcheck disable=SC2059 # the formats above
	printf "${outside[$1]}" "$2"
}

b_sends_from() {
	expect_eq "source of b" "$(peer_field a b endpoint)" "$1"
}

# contact FAMILY LAST: a speaks to this address of b.
contact() {
	wg_set a peer "${pub[b]}" endpoint "$(endpoint "$1" "$2")"
	ping_ns a 10.9.0.2
}

# A reply from elsewhere would have changed what a has for the endpoint.
answers_from() {
	local last
	for last in 12 22 2 32 12; do
		contact "$1" "$last"
		b_sends_from "$(endpoint "$1" "$last")"
		ping_ns b 10.9.0.1
		b_sends_from "$(endpoint "$1" "$last")"
	done
}

# preferred FAMILY: the source that routing chooses when it is free to.
preferred() {
	local route
	route=$(ip_ns b route get "${network[$1]}1")
	[[ $route =~ src\ ([0-9a-f.:]+) ]]
	if [[ $1 == 4 ]]; then
		echo "${BASH_REMATCH[1]}:5002"
	else
		echo "[${BASH_REMATCH[1]}]:5002"
	fi
}

removed() {
	local other
	contact "$1" 12
	addr_del b eth-a "${network[$1]}12/${length[$1]}"
	other=$(preferred "$1")
	ping_ns b 10.9.0.1
	b_sends_from "$other"
	ping_ns a 10.9.0.2
	b_sends_from "$other"
	# It does not come back by itself when the address does.
	addr_add b eth-a "${network[$1]}12/${length[$1]}"
	ping_ns b 10.9.0.1
	b_sends_from "$other"
}

addr_del() {
	ip_ns "$1" addr del "$3" dev "$2"
}

# Three times, the address that b uses goes while bytes flow. a sends to where the last packet
# came from, so b speaks first each time.
removed_mid_flow() {
	local round source removed=()
	contact "$1" 12
	transfers_start b 10.9.0.1
	for round in 1 2 3; do
		flows
		source=$(peer_field a b endpoint)
		source=${source%:5002}
		source=${source//[][]/}
		ip_ns b addr del "$source/${length[$1]}" dev eth-a
		removed+=("$source/${length[$1]}")
	done
	flows
	transfers_end
	expect_eq "addresses used" "$(printf '%s\n' "${removed[@]}" | sort -u | wc -l)" 3
	b_sends_from "$(preferred "$1")"
	addr_add b eth-a "${removed[@]}"
}

flows() {
	local before
	before=$(peer_field a b rx)
	wait_until "$LIMIT" rx_beyond $((before + 100000))
}

rx_beyond() {
	(($(peer_field a b rx) > $1))
}

# The route to a leaves by the other link: for IPv4, the source that belongs to the first
# one is given up.
moved_route() {
	contact 4 22
	ip_ns b route add 192.0.2.1/32 via 192.0.3.1 dev alt-a
	ping_ns b 10.9.0.1
	b_sends_from 192.0.3.2:5002
	ping_ns a 10.9.0.2
	ip_ns b route del 192.0.2.1/32
	contact 4 22
	b_sends_from "$(endpoint 4 22)"
}

# moved_address FAMILY OTHER-ENDPOINT: the address itself goes to the other link, and so does
# the way back. IPv6 may use it there; for IPv4, it belongs to another link than the route.
moved_address() {
	contact "$1" 22
	addr_del b eth-a "${network[$1]}22/${length[$1]}"
	case $1 in
	4)
		addr_add b alt-a 192.0.2.22/32
		ip_ns a route add 192.0.2.22/32 via 192.0.3.2 dev alt-b
		ip_ns b route add 192.0.2.1/32 via 192.0.3.1 dev alt-a
		;;
	6)
		addr_add b alt-a 2001:db8::22/128
		ip_ns a -6 route add 2001:db8::22/128 via 2001:db8:3::2 dev alt-b
		ip_ns b -6 route add 2001:db8::1/128 via 2001:db8:3::1 dev alt-a
		;;
	esac
	ping_ns b 10.9.0.1
	expect_one_of "$(peer_field a b endpoint)" "$(endpoint "$1" 22)" "$2"
	# And a can use the moved address.
	contact "$1" 22
	ping_ns b 10.9.0.1
	expect_one_of "$(peer_field a b endpoint)" "$(endpoint "$1" 22)" "$2"
}

expect_one_of() {
	[[ $1 == "$2" || $1 == "$3" ]] || {
		echo "source of b: is '$1', expected '$2' or '$3'"
		return 1
	}
}

plan 8
require_tools ping
pair_create
ip link add alt-b netns "$prefix-a" type veth peer name alt-a netns "$prefix-b"
ip_ns a link set alt-b up
ip_ns b link set alt-a up
addr_add a alt-b 192.0.3.1/24 2001:db8:3::1/64
addr_add b alt-a 192.0.3.2/24 2001:db8:3::2/64
addr_add b eth-a 192.0.2.12/24 192.0.2.22/24 192.0.2.32/24 \
	2001:db8::12/64 2001:db8::22/64 2001:db8::32/64
serve a
for family in 4 6; do
	check "IPv$family: answers leave from the address that was contacted" answers_from "$family"
	check "IPv$family: the address is removed" removed "$family"
	check "IPv$family: addresses are removed during a TCP transfer" removed_mid_flow "$family"
done
check "IPv4: the route moves to another link" moved_route
check "IPv6: the address moves to another link" moved_address 6 '[2001:db8:3::2]:5002'
finish
