#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each implementation of the cryptography that the processor has, chosen when the module is
# loaded: the log names it, and packets of all sizes get through both ways. That one talks to
# another is for the interoperation tests to show, which run with the best one.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

# names CRYPTO X25519: what the module said when it was loaded last
names() {
	dmesg | grep 'self-test passed' | tail -n 1 |
		grep -F "crypto $1, X25519 $2, self-test passed"
}

# Alone a packet is not worth a batch; from a file of many there are batches of all lengths.
carries() {
	local size
	for size in 0 1 100 255 900 1392; do
		in_ns a ping -q -n -c 2 -i 0.01 -W 10 -s "$size" 10.9.0.2
	done
	in_ns a ping -q -n -c 100 -l 64 -i 0.002 -W 10 -s 1000 10.9.0.2
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 300000
	in_ns a python3 "$TRAFFIC" udp 10.9.0.2 7000 32 1371
}

default_works() {
	# shellcheck disable=SC2046 # two words
	names $(best)
	carries
}

scalar_works() {
	module_unload
	module_load "kind=$KIND" crypto=scalar
	names scalar portable
	pair_up
	carries
}

# can FLAG: with BMI2, which is needed beside it
can() {
	grep -qw "$1" /proc/cpuinfo && grep -qw bmi2 /proc/cpuinfo
}

best() {
	if can avx2; then echo -n 'avx2 '; else echo -n 'scalar '; fi
	if can adx; then echo adx; else echo portable; fi
}

refused() {
	module_unload
	log_mark
	refuse module_load "kind=$KIND" "crypto=$1"
	log_since "$log_marker" | grep -F "$2"
	refuse module_loaded
	module_load
}

plan 3
if [[ $WGPP_MODULE == in-tree ]]; then
	for _ in 1 2 3; do skip "the choice" "the in-tree module has no parameter crypto"; done
	finish
fi
require_tools ping
keygen a b
ns_create a b
veth_link a b
addr_add a eth-b 192.0.2.1/24
addr_add b eth-a 192.0.2.2/24
pair_files
pair_up
serve b
check "without a choice: the best that there is, by its name: $(best)" default_works
check "scalar, when asked for" scalar_works
check "what nobody knows is refused, with the names" refused mmx \
	'crypto="mmx" is none of auto, scalar, avx2'
finish
