#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Lines and branches that the host tests run, of the core and of the tool, file by file. Tests
# themselves are not counted.
#
#	scripts/coverage.sh [--missed]     with the lines that did not run, below each table
#
# Built with clang++ in build/coverage. The last lines of each table are its total.
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
top=$PWD
build=build/coverage
missed=no
case ${1-} in
'') ;;
--missed) missed=yes ;;
-h | --help) sed -n '4,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
*) echo "coverage: unknown option '$1' (try --help)" >&2; exit 2 ;;
esac
for program in clang++ llvm-profdata llvm-cov; do
	command -v $program >/dev/null || {
		echo "coverage: no $program: run: scripts/setup.sh check" >&2
		exit 2
	}
done

cmake -S . -B $build -DCMAKE_CXX_COMPILER=clang++ -DWGPP_COVERAGE=ON -DWGPP_TESTS=ON \
	-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g1' >$build.log 2>&1 ||
	{ cat $build.log >&2; exit 2; }
cmake --build $build -j "$(nproc)" >$build.log 2>&1 || { tail -n 40 $build.log >&2; exit 2; }

# run PROGRAM: its tests, quietly; a test that fails is shown, and there is no table then.
run() {
	LLVM_PROFILE_FILE=$build/$(basename "$1").profraw "$1" --gtest_brief=1 >$build/tests.log 2>&1 ||
		{ cat $build/tests.log >&2; exit 1; }
}
run $build/core_test
run $build/crypto_narrow_test
run $build/tool/tool_test

# table TITLE DIR PROGRAM...
table() {
	local title=$1 dir=$2 program
	shift 2
	local -a objects=("$1") profiles=()
	for program in "$@"; do
		[[ ! -e $build/$(basename "$program").profraw ]] ||
			profiles+=("$build/$(basename "$program").profraw")
		[[ $program == "$1" ]] || objects+=("-object=$program")
	done
	llvm-profdata merge -sparse -o $build/profile "${profiles[@]}"
	printf '%-24s %7s %7s %9s %9s\n' "$title" lines missed 'lines %' 'branches %'
	llvm-cov report "${objects[@]}" -instr-profile=$build/profile \
		-ignore-filename-regex='_test\.cc$|/test_[a-z]+\.hh$' "$top/$dir" |
		awk '$1 ~ /\.(cc|hh)$/ || $1 == "TOTAL" {
			name = $1; sub(/.*\//, "", name)
			if (name == "TOTAL") name = "total"
			printf "%-24s %7d %7d %9s %9s\n", name, $8, $9, $10, $13
		}'
	if [[ $missed == yes ]]; then
		llvm-cov show "${objects[@]}" -instr-profile=$build/profile \
			-ignore-filename-regex='_test\.cc$|/test_[a-z]+\.hh$' "$top/$dir" |
			awk '/^\/.*:$/ { file = $0; sub(/.*\//, "", file) } /^ *[0-9]+\| +0\|/ { print file $0 }'
	fi
	echo
}
table core module/core $build/core_test $build/crypto_narrow_test
table tool tool $build/tool/tool_test $build/tool/wgtool
