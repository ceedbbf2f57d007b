#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whether time depends on secrets, and whether they stay on the stack: constant-time/probe.cc runs
# the core under valgrind, with every secret undefined, and constant-time/residue.cc searches the
# stack after each call. Once for each level of the cryptography that this processor has, and as
# each compiler builds it. valgrind does not know AVX-512: constant-time/trace.cc follows packets
# and X25519 in batches through vector code step by step, and MemorySanitizer looks at them at every
# level. Leaks that are there on purpose have to be found.
#
#	scripts/check-constant-time.sh [CXX...]     default: g++ clang++
#
# The last line is "N passed, N failed, N skipped".
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
case ${1-} in
-h | --help) sed -n '4,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
[[ $# -gt 0 ]] || set -- g++ clang++

# An error, and nothing else, ends with this status: valgrind itself may die of an instruction that
# it does not know, and has not found anything then.
found=99
residue_found=3
trace_found=3
passed=0 failed=0 skipped=0
work=$(mktemp -d --suffix=.constant-time)
trap 'rm -rf "$work"' EXIT

# judge NAME EXPECTED-STATUS COMMAND...
judge() {
	local name=$1 expected=$2 status=0
	shift 2
	"$@" >"$work/out" 2>&1 </dev/null || status=$?
	if [[ $status == "$expected" ]]; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name: status $status, not $expected"
		head -n 40 "$work/out" | sed 's/^/  # /'
	fi
}

# can LEVEL: whether this processor has it
can() {
	local flag flags=()
	case $1 in
	avx2) flags=(avx2 bmi2) ;;
	avx512) flags=(avx2 bmi2 avx512f avx512vl) ;;
	esac
	for flag in "${flags[@]}"; do grep -qw "$flag" /proc/cpuinfo || return; done
}

# configure DIR CXX FLAGS: as the module is compiled, optimised, and without vectors but where they
# are asked for
configure() {
	cmake -S . -B "$1" -DCMAKE_CXX_COMPILER="$2" -DWGPP_CONSTANT_TIME=ON -DWGPP_TESTS=OFF \
		-DWGPP_TOOL=OFF -DWGPP_SELFTEST_TOOLS=OFF -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_CXX_FLAGS_RELEASE="-O2 -gdwarf-4 $3"
}

# build NAME DIR CXX FLAGS [TARGET...]
build() {
	local name=$1 dir=$2
	if ! { configure "$dir" "$3" "$4" && cmake --build "$dir" -j "$(nproc)" --target "${@:5}"; } \
		>"$work/build" 2>&1; then
		tail -n 20 "$work/build"
		echo "not ok - the check builds with $name"
		failed=$((failed + 1))
		return 1
	fi
}

for cxx; do
	dir=build/constant-time-$(basename "$cxx")
	build "$cxx" "$dir" "$cxx" '' all || continue
	probe=(valgrind -q "--error-exitcode=$found" --read-inline-info=yes "$dir/constant-time/probe")
	residue=("$dir/constant-time/residue")
	objdump -d --no-show-raw-insn "$dir/constant-time/trace" >"$work/disassembly"
	trace=("$dir/constant-time/trace")
	for leak in branch index; do
		judge "$cxx: a leak by $leak, on purpose, is found" "$found" "${probe[@]}" "$leak"
	done
	for leak in branch index; do
		judge "$cxx: a trace finds a leak by $leak, on purpose" "$trace_found" "${trace[@]}" "$leak" \
			"$work/disassembly"
	done
	judge "$cxx: a key left on the stack, on purpose, is found" "$residue_found" "${residue[@]}" \
		plant
	for level in scalar avx2 avx512; do
		if ! can "$level"; then
			skipped=$((skipped + 1))
			echo "ok - $cxx: $level # SKIP this processor does not have it"
			continue
		fi
		if [[ $level != avx512 ]]; then
			judge "$cxx: $level: no branch and no address depends on a secret" 0 "${probe[@]}" "$level"
		fi
		judge "$cxx: $level: no secret stays on the stack" 0 "${residue[@]}" "$level"
		if [[ $level != scalar ]]; then
			judge "$cxx: $level: no other way and no other address with another secret" 0 \
				"${trace[@]}" "$level" "$work/disassembly"
		fi
	done
done

# Stack and fresh memory count as defined: what is a secret was marked as one.
name=MemorySanitizer dir=build/constant-time-msan
export MSAN_OPTIONS=poison_in_malloc=0:exitcode=$found
if build "$name" "$dir" clang++ '-fsanitize=memory -mllvm -msan-poison-stack=0' probe; then
	probe=("$dir/constant-time/probe")
	for leak in branch index; do
		judge "$name: a leak by $leak, on purpose, is found" "$found" "${probe[@]}" "$leak"
	done
	for level in scalar avx2 avx512; do
		if can "$level"; then
			judge "$name: $level: no branch and no address depends on a secret" 0 "${probe[@]}" "$level"
		else
			skipped=$((skipped + 1))
			echo "ok - $name: $level # SKIP this processor does not have it"
		fi
	done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed == 0 ]]
