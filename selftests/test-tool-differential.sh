#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 70 s
# Time limit: 600 s
#
# Generated commands for the system's wg(8) and for wgtool under its name, on two devices of the
# kernel: parity.py has the details. `make check-parity' runs far more of them without a machine,
# on devices in userspace. CASES and SEED choose others.

# In a network namespace of its own, so that `show all' sees this test's devices only.
if [[ -z ${WGPP_DIFFERENTIAL:-} ]]; then
	WGPP_DIFFERENTIAL=1 exec unshare --net -- "$BASH" "$0" "$@"
fi

# wg(8) knows no other kind.
KIND=wireguard
. "$(dirname "$0")/common.sh"

# The tool under test, also when the other selftests run with wg.
tool=$WGTOOL
if [[ $(basename "$tool") != wgtool ]]; then
	tool=$SELFTESTS/../build/tool/wgtool
fi

differential() {
	local status=0
	python3 "$SELFTESTS/parity.py" --twins kernel --tool "$(command -v "$tool")" \
		--cases "${CASES:-80}" --seed "${SEED:-$RANDOM}" >"$tmp/parity" 2>&1 || status=$?
	grep -v '^KTAP version\|^1\.\.' "$tmp/parity"
	note "$(grep -A 1 ' unintended differences' "$tmp/parity" | sed '2,$s/^#/;/' | tr -d '\n#')"
	return "$status"
}

require_tools wg
command -v "$tool" >/dev/null || bail_out "$tool is not built"
plan 1
modprobe wireguard 2>/dev/null || true
ip link set lo up
check "generated commands: the same output, status, messages and state as wg's" differential
finish
