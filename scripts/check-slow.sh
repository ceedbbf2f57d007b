#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the host that take minutes, without sanitizers: a million products of X25519 in a row,
# and a million prefixes inserted with each allocation failing in turn.
#
#	scripts/check-slow.sh [CXX]     default: c++
#
# The last line is "N passed, N failed, N skipped".
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
case ${1-} in
-h | --help) sed -n '4,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
wycheproof=$(scripts/wycheproof.sh)
if ! { cmake -S . -B build/slow -DCMAKE_CXX_COMPILER="${1-c++}" -DCMAKE_BUILD_TYPE=Release \
	-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DWGPP_WYCHEPROOF="$wycheproof" -DWGPP_TOOL=OFF \
	-DWGPP_SELFTEST_TOOLS=OFF &&
	cmake --build build/slow -j "$(nproc)" --target slow_test core_test; } >build/slow.log 2>&1; then
	tail -n 20 build/slow.log >&2
	echo "check-slow: the tests do not build (log: build/slow.log)" >&2
	exit 2
fi
status=0
build/slow/module/core/reference/slow_test | tee build/slow.log || status=$?
WGPP_INSERTIONS=1000000 build/slow/core_test --gtest_filter='*InsertionWithoutMemory*' |
	tee -a build/slow.log || status=$?
passed=$(grep -c '^\[       OK \]' build/slow.log || true)
failed=$(grep -cE '^\[  FAILED  \].*\([0-9]+ ms\)' build/slow.log || true)
echo "$passed passed, $failed failed, 0 skipped"
[[ $status == 0 && $passed -gt 0 ]]
