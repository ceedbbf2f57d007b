#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds core and tool for this machine with AddressSanitizer and
# UndefinedBehaviorSanitizer, and runs every unit test through CTest.
#
#	scripts/host-test.sh [CXX]     the compiler, default g++; its build is build/host-CXX
#
# The last line is "N passed, N failed, N skipped".
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cxx=${1:-g++}
dir=$top/build/host-$(basename "$cxx")

command -v "$cxx" >/dev/null || {
	echo "host-test: no compiler '$cxx'; run: scripts/setup.sh check" >&2
	exit 1
}
# Little optimisation: the compiler, not the tests, takes most of the time.
wycheproof=$("$top/scripts/wycheproof.sh")
cmake -S "$top" -B "$dir" -DCMAKE_CXX_COMPILER="$cxx" -DWGPP_SANITIZE=ON -DWGPP_TESTS=ON \
	-DWGPP_WYCHEPROOF="$wycheproof" \
	-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g1'
cmake --build "$dir" -j "$(nproc)"

status=0
rm -f "$dir/ctest.xml"
# A leak is a failure, and so is a stack used after its function returned.
ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
	ctest --test-dir "$dir" -j "$(nproc)" --timeout 300 --output-on-failure --no-tests=error \
	--output-junit "$dir/ctest.xml" </dev/null || status=$?

attribute() { sed -n "/<testsuite /,/>/s/^.*[[:space:]]$1=\"\\([0-9]*\\)\".*$/\\1/p" "$dir/ctest.xml" | head -n 1; }
tests=$(attribute tests) failed=$(attribute failures) skipped=$(attribute skipped) disabled=$(attribute disabled)
if [[ -z $tests || -z $failed ]]; then
	echo "host-test: CTest left no readable result in $dir/ctest.xml" >&2
	exit 1
fi
skipped=$((${skipped:-0} + ${disabled:-0}))
echo "$((tests - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$status"
