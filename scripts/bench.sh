#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the benchmarks and runs them: wgpp beside others, in one run, on this machine.
#
#	scripts/bench.sh [PROGRAM] [-- BENCHMARK-ARGUMENT...]     default: all programs; --list
#
# Linux' own code is compiled from Debian's linux-source package, which is downloaded once into
# build/bench-linux. Results for programs are left in build/bench/PROGRAM.csv. The status is 0 when
# wgpp reached what it has to reach beside Linux, which each line says.
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
all_programs=(trie_bench crypto_bench handshake_bench show_bench)
linux=$PWD/build/bench-linux
package=${WGPP_BENCH_SOURCE:-linux-source-7.2}
declare -a programs=() args=()

while [[ $# -gt 0 ]]; do
	case $1 in
	-h | --help) sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
	--list) echo "${all_programs[*]}"; exit 0 ;;
	--) shift; args=("$@"); break ;;
	*)
		[[ " ${all_programs[*]} " == *" $1 "* ]] || {
			echo "bench: no program '$1'; the programs are: ${all_programs[*]}" >&2
			exit 2
		}
		programs+=("$1")
		;;
	esac
	shift
done
[[ ${#programs[@]} -gt 0 ]] || programs=("${all_programs[@]}")

[[ -d $linux ]] || scripts/linux-source.sh sid "$package" "$linux" drivers/net/wireguard \
	lib/crypto include/crypto Makefile
version=$(awk '$1 == "VERSION" { v = $3 } $1 == "PATCHLEVEL" { p = $3 } END { print v "." p }' \
	"$linux/Makefile")

build() {
	cmake -S . -B build/bench -DWGPP_BENCH=ON -DWGPP_LINUX_SOURCE="$linux" -DWGPP_TESTS=OFF \
		-DWGPP_SELFTEST_TOOLS=OFF -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DCMAKE_C_FLAGS_RELEASE=-O2 &&
		cmake --build build/bench -j "$(nproc)" --target "${programs[@]}"
}

if ! build >build/bench.log 2>&1; then
	tail -n 30 build/bench.log >&2
	echo "bench: the benchmarks do not build (log: build/bench.log)" >&2
	exit 2
fi

echo "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1); Linux $version;" \
	"$(${CXX:-c++} --version | head -n 1)"
status=0
for program in "${programs[@]}"; do
	WGPP_BENCH_CSV=build/bench/$program.csv build/bench/bench/"$program" "${args[@]}" || status=1
done
exit "$status"
