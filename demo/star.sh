#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The star network of a homelab, played in network namespaces, as root, in a machine that
# may be thrown away (scripts/demo.sh boots one):
#
#	 laptop                                                     nas  (knows of no tunnel)
#	 10.20.0.2                                                  192.168.1.10
#	    |                                                          |
#	  cafe (NAT)              router                             home (NAT, LAN switch)
#	 192.0.2.2              198.51.100.2                        203.0.113.2 / 192.168.1.1
#	    |                        |                                 |          |
#	    +------------------- internet ----------------------------+        gateway
#	                                                                    192.168.1.2
#
# Inside the tunnel (wg0): router 10.0.8.1, laptop 10.0.8.2, gateway 10.0.8.3. The router
# relays between its peers; the gateway, which has no public address, keeps its mapping open
# with PersistentKeepalive, forwards to the LAN and masquerades there, so that the NAS answers
# what seems a neighbour.
#
#	star.sh MODULE...       each a .ko file, or in-tree for the kernel's own module
#
# TOOL (default wg) configures the tunnels, with genkey, pubkey, set and show alone.
set -euo pipefail

tool=${TOOL:-wg}
busybox=${VM_BUSYBOX:-busybox}
num_bytes=$((20 * 1000 * 1000))
iperf_seconds=${IPERF_SECONDS:-5}
namespaces=(internet router cafe laptop home gateway nas)
work=$(mktemp -d)
say_since=$(cut -d ' ' -f 1 /proc/uptime)

# Milliseconds since boot; the guest's own clock, read without starting a process.
now_ms() {
	local up rest
	read -r up rest </proc/uptime
	echo "$((10#${up/./} * 10))"
}
start_ms=$(now_ms)

step() {
	local ms=$(($(now_ms) - start_ms))
	printf '  \342\234\223 %3d.%d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"
}

fail() {
	local ms=$(($(now_ms) - start_ms))
	printf '  \342\234\227 %3d.%d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"
	for ns in laptop router gateway; do
		echo "--- $ns: $tool show"
		ip netns exec "$ns" "$tool" show wg0 2>&1 | sed 's/^/    /' || true
	done
	echo "demo: FAILED: $*"
	exit 1
}

on() {
	local ns=$1
	shift
	ip netns exec "$ns" "$@"
}

# link NS DEVICE ADDRESS NS DEVICE ADDRESS: a cable between two namespaces. An address of
# "-" leaves that end bare.
link() {
	echo "link add $2 netns $1 type veth peer name $5 netns $4" >>"$work/links"
	[[ $3 == - ]] || echo "addr add $3 dev $2" >>"$work/$1.ip"
	[[ $6 == - ]] || echo "addr add $6 dev $5" >>"$work/$4.ip"
	echo "link set $2 up" >>"$work/$1.ip"
	echo "link set $5 up" >>"$work/$4.ip"
}

route() { echo "route add $2 via $3" >>"$work/$1.ip"; }

build_network() {
	local ns
	rm -f "$work"/*.ip "$work/links"
	for ns in "${namespaces[@]}"; do echo "link set lo up" >"$work/$ns.ip"; done
	link internet to-router 198.51.100.1/24 router eth0 198.51.100.2/24
	link internet to-cafe 192.0.2.1/24 cafe wan 192.0.2.2/24
	link internet to-home 203.0.113.1/24 home wan 203.0.113.2/24
	link cafe lan 10.20.0.1/24 laptop eth0 10.20.0.2/24
	echo "link add lan type bridge" >>"$work/home.ip"
	link home lan-gateway - gateway eth0 192.168.1.2/24
	link home lan-nas - nas eth0 192.168.1.10/24
	{
		echo "link set lan-gateway master lan"
		echo "link set lan-nas master lan"
		echo "addr add 192.168.1.1/24 dev lan"
		echo "link set lan up"
	} >>"$work/home.ip"
	route router default 198.51.100.1
	route cafe default 192.0.2.1
	route home default 203.0.113.1
	route laptop default 10.20.0.1
	route gateway default 192.168.1.1
	route nas default 192.168.1.1

	for ns in "${namespaces[@]}"; do echo "netns add $ns"; done | ip -batch -
	ip -batch "$work/links"
	for ns in "${namespaces[@]}"; do ip -n "$ns" -batch "$work/$ns.ip"; done
	for ns in internet router cafe home gateway; do
		on "$ns" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	done
	for ns in cafe home; do
		on "$ns" nft -f - <<-NFT
			table ip nat {
				chain postrouting {
					type nat hook postrouting priority srcnat
					oifname "wan" masquerade
				}
			}
		NFT
	done
	# A NAT that lets nothing in that was not asked for: the laptop cannot reach the home
	# without the tunnel, and this proves it.
	if on laptop ping -c 1 -W 1 192.168.1.10 >/dev/null 2>&1; then
		fail "the NAS answers without a tunnel; the network is not what it claims to be"
	fi
}

destroy_network() {
	local ns
	[[ -z ${server_pid:-} ]] || kill "$server_pid" 2>/dev/null || true
	for ns in "${namespaces[@]}"; do echo "netns del $ns"; done | ip -batch -
}

make_keys() {
	local ns
	for ns in router laptop gateway; do
		(umask 077 && "$tool" genkey >"$work/$ns.key") || fail "$tool genkey"
		"$tool" pubkey <"$work/$ns.key" >"$work/$ns.pub" || fail "$tool pubkey"
	done
}

build_tunnels() {
	local ns router laptop gateway
	router=$(<"$work/router.pub") laptop=$(<"$work/laptop.pub") gateway=$(<"$work/gateway.pub")
	for ns in router laptop gateway; do
		ip -n "$ns" link add wg0 type wireguard || fail "cannot add a wireguard device on $ns"
	done
	on router "$tool" set wg0 listen-port 51820 private-key "$work/router.key" \
		peer "$laptop" allowed-ips 10.0.8.2/32 \
		peer "$gateway" allowed-ips 10.0.8.3/32,192.168.1.0/24 || fail "$tool set on the router"
	on laptop "$tool" set wg0 private-key "$work/laptop.key" \
		peer "$router" endpoint 198.51.100.2:51820 allowed-ips 10.0.8.0/24,192.168.1.0/24 ||
		fail "$tool set on the laptop"
	on gateway "$tool" set wg0 private-key "$work/gateway.key" \
		peer "$router" endpoint 198.51.100.2:51820 allowed-ips 10.0.8.0/24 \
		persistent-keepalive 25 || fail "$tool set on the gateway"
	printf '%s\n' "addr add 10.0.8.1/24 dev wg0" "link set wg0 mtu 1420 up" \
		"route add 192.168.1.0/24 dev wg0" | ip -n router -batch -
	printf '%s\n' "addr add 10.0.8.2/24 dev wg0" "link set wg0 mtu 1420 up" \
		"route add 192.168.1.0/24 dev wg0" | ip -n laptop -batch -
	printf '%s\n' "addr add 10.0.8.3/24 dev wg0" "link set wg0 mtu 1420 up" |
		ip -n gateway -batch -
	on gateway nft -f - <<-NFT
		table ip tunnel {
			chain forward {
				type filter hook forward priority filter; policy drop
				iifname "wg0" oifname "eth0" accept
				iifname "eth0" oifname "wg0" ct state established,related accept
			}
			chain postrouting {
				type nat hook postrouting priority srcnat
				ip saddr 10.0.8.0/24 oifname "eth0" masquerade
			}
		}
	NFT
}

# reach NS ADDRESS: pings until answered; the first packets wait for handshakes.
reach() {
	for _ in {1..10}; do
		if on "$1" ping -c 1 -W 2 "$2" >"$work/ping" 2>&1; then return 0; fi
	done
	return 1
}

round_trip() { sed -n 's/.*time=\([0-9.]*\) ms.*/\1 ms/p' "$work/ping" | tail -n 1; }

# Megabits per second from bytes and milliseconds, one decimal.
mbits() { echo "$(($1 * 8 / $2 / 100))" | sed 's/\(.\)$/.\1/; s/^\./0./'; }

play() {
	local module=$1 before ms sum_served sum_fetched rate

	if [[ $module == in-tree ]]; then
		modprobe wireguard || fail "the kernel's own module does not load"
		step "loaded the kernel's own wireguard module"
	else
		# What the module needs from the kernel, which insmod does not pull in.
		modprobe -a udp_tunnel ip6_udp_tunnel 2>/dev/null || true
		insmod "$module" || fail "insmod $module: $(dmesg | tail -n 1)"
		step "loaded $(basename "$module")"
	fi

	build_network
	step "seven namespaces: ${namespaces[*]}; no way to the NAS without a tunnel"

	make_keys
	build_tunnels
	step "keys made and wg0 set up on router, laptop and gateway with $(basename "$tool")"

	reach gateway 10.0.8.1 || fail "the gateway does not reach the router through the tunnel"
	step "gateway reaches router through its NAT ($(round_trip))"
	reach laptop 10.0.8.1 || fail "the laptop does not reach the router through the tunnel"
	step "laptop reaches router through its NAT ($(round_trip))"
	reach laptop 192.168.1.10 || fail "the laptop does not reach the NAS through the tunnel"
	on laptop ping -c 3 -i 0.2 -W 2 192.168.1.10 >"$work/ping" || fail "pings to the NAS get lost"
	step "laptop pings the NAS: laptop > router > gateway > NAS ($(round_trip))"

	mkdir -p "$work/www"
	[[ -s $work/www/file ]] || head -c "$num_bytes" /dev/urandom >"$work/www/file"
	sum_served=$(sha256sum <"$work/www/file")
	ip netns exec nas "$busybox" httpd -f -p 80 -h "$work/www" >/dev/null 2>&1 &
	server_pid=$!
	rm -f "$work/fetched"
	before=$(now_ms)
	on laptop timeout 120 "$busybox" wget -q -O "$work/fetched" http://192.168.1.10/file ||
		fail "the laptop cannot fetch the file from the NAS"
	ms=$(($(now_ms) - before))
	sum_fetched=$(sha256sum <"$work/fetched")
	[[ $sum_served == "$sum_fetched" ]] ||
		fail "the fetched file differs: sha256 ${sum_fetched%% *}, not ${sum_served%% *}"
	fetch_rate=$(mbits "$num_bytes" "$ms")
	step "fetched 20 MB from the NAS, sha256 ${sum_fetched:0:16}... verified: $fetch_rate Mbit/s"
	kill "$server_pid" 2>/dev/null || true
	wait "$server_pid" 2>/dev/null || true
	server_pid=''

	ip netns exec nas timeout 60 iperf3 -s -1 >/dev/null 2>&1 &
	rate=''
	for _ in {1..10}; do
		# The first tries may come before the server listens.
		if on laptop timeout $((iperf_seconds + 30)) iperf3 -c 192.168.1.10 -t "$iperf_seconds" \
			-f m >"$work/iperf" 2>&1; then
			rate=$(awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") print $(i - 1) }' \
				"$work/iperf")
			break
		fi
		sleep 0.3
	done
	[[ -n $rate ]] || fail "iperf3 through the tunnel: $(tail -n 2 "$work/iperf")"
	iperf_rate=$rate
	step "iperf3 laptop to NAS, $iperf_seconds s: $iperf_rate Mbit/s"

	echo
	echo "router\$ $(basename "$tool") show"
	on router "$tool" show | sed 's/^/    /'
	echo

	destroy_network
	if [[ $module == in-tree ]]; then rmmod wireguard; else rmmod "$(basename "$module" .ko)"; fi ||
		fail "the module does not unload"
	step "network taken down, module unloaded"
	check_log
}

# A sound kernel logs none of these; taint bits 12 and 13 mean out of tree and unsigned.
check_log() {
	local bad
	bad=$(dmesg | awk -v since="$say_since" -F '[][]' '$2 + 0 >= since + 0' |
		grep -E 'BUG|WARNING|Oops|stall|Call Trace|hung_task|blocked for more than|lockup|refcount_t' || true)
	[[ -z $bad ]] || { echo "$bad"; fail "the kernel log complains"; }
	[[ $(($(</proc/sys/kernel/tainted) & ~(1 << 12 | 1 << 13))) == 0 ]] ||
		fail "the kernel is tainted: $(</proc/sys/kernel/tainted)"
	step "the kernel log is clean"
}

declare -a table=()
last=''
for module in "$@"; do
	[[ $module == in-tree ]] && name="in-tree wireguard" || name=$(basename "$module")
	echo "star network with $name"
	play "$module"
	table+=("$(printf '%-20s %12s %12s' "$name" "$fetch_rate" "$iperf_rate")")
	[[ -n $last ]] || last="20 MB fetched through the tunnel, sha256 verified, $fetch_rate Mbit/s (iperf3: $iperf_rate Mbit/s)"
done
if [[ $# -gt 1 ]]; then
	echo
	printf '%-20s %12s %12s\n' 'Mbit/s' 'fetch' 'iperf3'
	printf '%s\n' "${table[@]}"
fi
echo
echo "demo: $last"
