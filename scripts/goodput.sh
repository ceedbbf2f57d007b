#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Goodput of TCP over two tunnel ends in one virtual machine, beside the in-tree module in the same
# boot: bench/goodput.sh. The machine has one processor and counts instructions for time, so that
# the figures are the same on every run; an instruction with vectors counts as one.
#
#	scripts/goodput.sh [MODULE...]      default: in-tree scalar auto, and in-tree again
#
# The second measurement of the same module shows what the order of measurements does.
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
case ${1-} in
-h | --help) sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
[[ $# -gt 0 ]] || set -- in-tree scalar auto in-tree
scripts/setup.sh build vm
kver=$(scripts/kernel.sh --print kver)
mkdir -p build
if ! scripts/build-module.sh -k "$kver" >build/goodput.log 2>&1; then
	tail -n 20 build/goodput.log >&2
	echo "goodput: the module does not build (log: build/goodput.log)" >&2
	exit 2
fi
echo "Linux $kver, one processor, time counted in instructions; Mbit/s, and beside the in-tree module"
scripts/vm.sh -k "$kver" -i -s 1 -t 1500 -e "WGPP_MODULE=$PWD/build/module-$kver/wgpp.ko" \
	-e "GOODPUT_BYTES=${GOODPUT_BYTES:-20000000}" -- bench/goodput.sh "$@" | tee build/goodput.out |
	awk '
		!/^goodput / { print; next }
		$2 == "in-tree" && !base { base = $3 }
		{ printf "%-10s %8.1f%s\n", $2, $3, base ? sprintf("  %.2fx", $3 / base) : "" }'
