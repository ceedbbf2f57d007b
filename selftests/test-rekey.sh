#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 490 s
# Time limit: 600 s
#
# Three rekeyings at the intervals of the protocol, 120 s each, with five pairs side by side:
#
#   a - b   an echo each 0.2 s and a slow verified TCP stream: nothing is lost
#   c - d   d's responses do not arrive: 180 s after its birth the old key is used no more
#   e - f   nothing but a persistent keepalive: the session stays fresh
#   g - h   one packet that nobody answers: a new handshake after 15 s
#   i - j   one packet that is answered: a keepalive after 10 s, and then silence
#
#   a  eth-b 192.0.2.1  ---- veth ----  192.0.2.2 eth-a  b       and so on, each pair
#      wg0   10.9.0.1   === tunnel ===  10.9.0.2  wg0            with the same addresses
#
# An observer on the link of each first end notes handshakes and changes of the key.

. "$(dirname "$0")/common.sh"

DURATION_S=372
ECHO_MS=200
PORT_1=5001
PORT_2=5002

# ---- a and b

stream_whole() {
	cat "$tmp/stream"
	expect_eq "status of the stream" "$(<"$tmp/stream.status")" 0
}

# The time that the tool tells, taken once a second.
handshake_times() {
	grep -vx 0 "$tmp/times" | sort -u >"$tmp/different"
	cat "$tmp/different"
	expect_eq "times of handshakes" "$(wc -l <"$tmp/different")" 4
}

# Each key is used for 120 s, and its successor follows within the next echo, or two.
rekeyed() {
	local previous='' time _
	events a first "$PORT_1" >"$tmp/keys"
	cat "$tmp/keys"
	expect_eq "keys of a" "$(wc -l <"$tmp/keys")" 4
	expect_eq "keys of b" "$(events a first "$PORT_2" | wc -l)" 4
	expect_eq "different keys" "$(cut -d ' ' -f 2 "$tmp/keys" | sort -u | wc -l)" 4
	while read -r time _; do
		[[ -z $previous ]] || between "$(difference "$previous" "$time")" 119.5 123
		previous=$time
	done <"$tmp/keys"
	# Who began goes on beginning; nothing had to be repeated.
	expect_eq "initiations of a" "$(events a initiation "$PORT_1" | wc -l)" 4
	expect_eq "initiations of b" "$(events a initiation "$PORT_2" | wc -l)" 0
}

# ---- c and d

# The first key is born with the first response. It is used up to its end, because echoes are
# answered, and not beyond.
rejected_after_time() {
	local born index last initiations
	born=$(events c response "$PORT_2" | sed -n 1p | cut -d ' ' -f 1)
	index=$(events c first "$PORT_1" | sed -n 1p | cut -d ' ' -f 2)
	last=$(events c last "$PORT_1" | awk -v index_="$index" '$2 == index_ { print $1 }')
	between "$(difference "$born" "$last")" 175 180.5
	# It tried in time, and again and again.
	initiations=$(events c initiation "$PORT_1" | sed -n 2p | cut -d ' ' -f 1)
	between "$(difference "$born" "$initiations")" 119.5 123
	expect_between "initiations" "$(events c initiation "$PORT_1" | wc -l)" 10 80
}

# A handshake that is allowed again makes a new key.
recovers() {
	in_ns d nft delete table ip block
	wait_until 60 in_ns c ping -n -c 1 -W 2 10.9.0.2
	expect_between "keys" "$(events c first "$PORT_1" | wc -l)" 2 2
}

# ---- e and f

# Each 10 s a keepalive; the one that finds the key 120 s old makes a new one.
kept_fresh() {
	local previous='' time _ age
	events e first "$PORT_1" >"$tmp/keys"
	cat "$tmp/keys"
	expect_between "keys" "$(wc -l <"$tmp/keys")" 3 4
	while read -r time _; do
		[[ -z $previous ]] || between "$(difference "$previous" "$time")" 119.5 135
		previous=$time
	done <"$tmp/keys"
	age=$(($(date +%s) - $(peer_field e f handshake)))
	expect_between "age of the session" "$age" 0 135
}

# ---- g and h

# received_more NS PEER BYTES
received_more() {
	(($(peer_field "$1" "$2" rx) > $3))
}

# From the packet that nobody answered to the initiation; jitter is below a third of a second.
after_15_s() {
	local sent initiation
	sent=$(<"$tmp/unanswered")
	initiation=$(events g initiation "$PORT_1" | awk -v after="$sent" '$1 > after { print $1; exit }')
	echo "sent at $sent, initiation at $initiation"
	between "$(difference "$sent" "$initiation")" 15 20
}

# ---- i and j

# Who answered last has nothing to confirm; who got the answer does so after 10 s, once.
after_10_s() {
	local asked answered keepalives
	asked=$(<"$tmp/asked")
	answered=$(<"$tmp/answered")
	keepalives=$(events i keepalive "$PORT_1" | cut -d ' ' -f 1)
	echo "asked at $asked, answered before $answered, keepalives at $keepalives"
	expect_eq "keepalives" "$(wc -w <<<"$keepalives")" 1
	between "$(difference "$asked" "$keepalives")" 10 999
	between "$(difference "$answered" "$keepalives")" 0 12
	expect_eq "keys" "$(events i first "$PORT_1" | wc -l)" 1
	expect_eq "initiations" "$(events i initiation "$PORT_1" | wc -l)" 1
}

plan 9
require_tools ping nft
observed_pair a b
observed_pair c d
observed_pair e f
observed_pair g h
observed_pair i j
serve b
in_ns a ping -q -n -i 0.2 -c $((DURATION_S * 1000 / ECHO_MS)) -W "$LIMIT" 10.9.0.2 >"$tmp/echoes" 2>&1 &
echoes=$!
background+=("$echoes")
# 64 KiB each second.
(
	status=0
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 $(((DURATION_S - 10) * 65536)) 1000 || status=$?
	echo "$status" >"$tmp/stream.status"
) >"$tmp/stream" 2>&1 &
stream=$!
background+=("$stream")
# c has its first key before d's next response gets lost.
ping_ns c 10.9.0.2 >/dev/null
in_ns d nft -f - <<-RULES
	table ip block {
		chain out {
			type filter hook output priority 0;
			udp sport $PORT_2 @th,64,32 0x02000000 drop
		}
	}
RULES
bg c ping -q -n -i 1 10.9.0.2
wg_set e peer "${pub[f]}" persistent-keepalive 10
# h hears nothing of what follows the first echo, and an echo of h would be an answer. Its own
# reply has been confirmed by then, or h would look for a new handshake before g does.
ping_ns g 10.9.0.2 >/dev/null
rx_h=$(peer_field h g rx)
wait_until "$LIMIT" received_more h g "$rx_h"
in_ns h nft -f - <<-RULES
	table ip block {
		chain in { type filter hook input priority 0; udp dport $PORT_2 drop; }
	}
RULES
date +%s.%N >"$tmp/unanswered"
in_ns g ping -n -c 1 -W 1 10.9.0.2 >/dev/null || true
date +%s.%N >"$tmp/asked"
ping_ns i 10.9.0.2 >/dev/null
date +%s.%N >"$tmp/answered"
# A sample each second.
while kill -0 "$echoes" 2>/dev/null; do
	peer_field a b handshake >>"$tmp/times"
	sleep 1
done
wait "$echoes" || true
wait "$stream" || true
check "no echo is lost over three rekeyings" \
	no_echo_lost "$tmp/echoes" $((DURATION_S * 1000 / ECHO_MS))
check "the stream arrives whole" stream_whole
check "the handshake's time advances three times" handshake_times
check "an observer sees three new keys, each after 120 s" rekeyed
check "a persistent keepalive keeps the session fresh" kept_fresh
check "blocked responses end, and a new key is made" recovers
observed
check "a key is used for 180 s and no longer" rejected_after_time
check "a new handshake 15 s after data that nobody answered" after_15_s
check "a passive keepalive after 10 s, once" after_10_s
finish
