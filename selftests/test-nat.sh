#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 90 s
#
# Two networks, each behind a router that translates addresses and forgets a flow after 3 s.
# A persistent keepalive holds the way in open; without one it closes. When a router forgets
# and gives the flow another port or another address, the far end follows.
#
#   a            |  ra                          rb                |  b
#   eth-ra ------+- eth-a  eth-rb 192.0.2.1 --- 192.0.2.2 eth-ra  eth-b -+------ eth-rb
#   10.1.0.2     |  10.1.0.1                             10.2.0.1 |      10.2.0.2
#   wg0 10.9.0.1 =================== tunnel ============================ 10.9.0.2 wg0
#   port 5001       masquerades                       masquerades          port 5002
#
# Nobody outside knows 10.1.0.0/16 or 10.2.0.0/16. rb hands port 5002 on to b, where a check
# says so.

. "$(dirname "$0")/common.sh"

FORGET_S=3

# router NS INSIDE OUTSIDE: masquerades what leaves OUTSIDE, and forgets soon.
router() {
	in_ns "$1" bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	in_ns "$1" nft -f - <<-RULES
		table ip nat {
			chain pre { type nat hook prerouting priority -100; }
			chain post { type nat hook postrouting priority 100; oif "$3" masquerade; }
		}
		table ip filter {
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state established,related accept
				iif "$2" accept
				ct status dnat accept
			}
			# What nobody here asked for must not become a flow: it would take the port
			# that the own side's flow is about to keep.
			chain input {
				type filter hook input priority 0;
				iif "$3" ip protocol udp ct state new drop
			}
		}
	RULES
	# These files come with the first rule that needs connection tracking.
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_ns "$1" bash -c 'cd /proc/sys/net/netfilter
		echo "$1" >nf_conntrack_udp_timeout
		echo "$1" >nf_conntrack_udp_timeout_stream' bash "$FORGET_S"
}

port_forward() {
	in_ns rb nft add rule ip nat pre iif eth-ra udp dport 5002 dnat to 10.2.0.2:5002
}

no_port_forward() {
	in_ns rb nft flush chain ip nat pre
	in_ns rb conntrack -F
}

# masquerade RULE: what ra does from now on, as if it had restarted: flows are forgotten.
masquerade() {
	in_ns ra nft flush chain ip nat post
	in_ns ra nft add rule ip nat post oif eth-rb meta l4proto udp "$@"
	in_ns ra conntrack -F
}

# flow_known ROUTER: whether it has an entry for the tunnel.
flow_known() {
	[[ $(in_ns "$1" conntrack -L -p udp 2>/dev/null) == *dport=500[12]* ]]
}

flow_forgotten() {
	! flow_known "$1"
}

# from_outside: whether b sees a behind the address and the port range of ra.
from_outside() {
	local port endpoint
	endpoint=$(peer_field b a endpoint)
	port=${endpoint#"$1":}
	[[ $port != "$endpoint" ]] && ((port >= $2 && port <= $3))
}

outward() {
	ping_ns a 10.9.0.2
	from_outside 192.0.2.1 1 65535
}

# b asks last and a answers, so a has nothing to confirm later, which would open the way.
closes() {
	ping_ns b 10.9.0.1
	wait_until "$LIMIT" flow_forgotten ra
	no_ping_ns b 10.9.0.1
}

keepalive_on() {
	wg_set a peer "${pub[b]}" persistent-keepalive 1
}

rx_beyond() {
	(($(peer_field b a rx) > $1))
}

# Nothing but keepalives, one each second, for several times as long as the routers remember.
stays_open() {
	local before round
	for ((round = 0; round < 4 * FORGET_S; round++)); do
		before=$(peer_field b a rx)
		wait_until $((2 * FORGET_S)) rx_beyond "$before"
		flow_known ra
	done
	ping_ns b 10.9.0.1
	wg_set a peer "${pub[b]}" persistent-keepalive 0
	closes
}

port_moves() {
	keepalive_on
	masquerade masquerade to :40000-40999
	wait_until "$LIMIT" from_outside 192.0.2.1 40000 40999
	wait_until "$LIMIT" ping_ns b 10.9.0.1 -W 1
}

address_moves() {
	addr_add ra eth-rb 192.0.2.101/24
	ip_ns ra addr del 192.0.2.1/24 dev eth-rb
	masquerade masquerade to :41000-41999
	wait_until "$LIMIT" from_outside 192.0.2.101 41000 41999
	wait_until "$LIMIT" ping_ns b 10.9.0.1 -W 1
}

# The mapping changes three times while bytes go both ways; what is under way to the old
# port is lost, and TCP sends it again.
mid_flow() {
	local port before
	transfers_start a 10.9.0.2
	for port in 42000 43000 44000; do
		before=$(peer_field b a rx)
		wait_until "$LIMIT" rx_beyond $((before + 100000))
		masquerade masquerade to ":$port-$((port + 999))"
		wait_until "$LIMIT" from_outside 192.0.2.101 "$port" $((port + 999))
	done
	transfers_end
	from_outside 192.0.2.101 44000 44999
}

# Both routers keep the port when they can, so both ends know where the other one's flow
# comes out, and each opens its own router's way for the other.
both_behind() {
	no_port_forward
	masquerade masquerade
	wg_set a listen-port 5001 peer "${pub[b]}" endpoint 192.0.2.2:5002 persistent-keepalive 1
	wg_set b listen-port 5002 peer "${pub[a]}" endpoint 192.0.2.101:5001 persistent-keepalive 1
	wait_until 60 in_ns a ping -n -c 1 -W 1 10.9.0.2
	wait_until "$LIMIT" ping_ns b 10.9.0.1 -W 1
}

plan 8
require_tools ping nft conntrack
keygen a b
ns_create a ra rb b
veth_link a ra
veth_link ra rb
veth_link rb b
addr_add a eth-ra 10.1.0.2/24
addr_add ra eth-a 10.1.0.1/24
addr_add ra eth-rb 192.0.2.1/24
addr_add rb eth-ra 192.0.2.2/24
addr_add rb eth-b 10.2.0.1/24
addr_add b eth-rb 10.2.0.2/24
ip_ns a route add default via 10.1.0.1
ip_ns b route add default via 10.2.0.1
router ra eth-a eth-rb
router rb eth-b eth-ra
port_forward
pair_devices
wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002
check "out through the router; the far end sees the router" outward
check "without keepalives the way in closes" closes
keepalive_on
check "with keepalives the way in stays open, without it closes again" stays_open
check "the router gives the flow another port" port_moves
check "the router gets another address" address_moves
serve b
check "the port changes three times during a TCP transfer" mid_flow
wg_set a peer "${pub[b]}" persistent-keepalive 0
check "the way in closes at both routers" closes
check "both ends behind routers, each opens its own" both_behind
finish
