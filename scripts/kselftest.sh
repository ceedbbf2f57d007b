#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the kernel selftests in a virtual machine, all in one boot, and then reads the whole
# kernel log for what a sound kernel never says.
#
#	scripts/kselftest.sh [TEST...]     default: all; names as selftests/run.sh takes them
#
# WGPP_MODULE (default: the build of scripts/build-module.sh; in-tree for the kernel's own) and
# WGTOOL (default build/tool/wgtool) choose what is tested. The last line is
# "N passed, N failed, N skipped".
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kver=$("$top/scripts/kernel.sh" --print kver)
module=${WGPP_MODULE:-$top/build/module-$kver/wgpp.ko}
tool=${WGTOOL:-$top/build/tool/wgtool}
limit=${VM_LIMIT:-1200}
log=$top/build/vm/kselftest.dmesg

for file in "$module" "$tool"; do
	[[ $file != */* || -e $file ]] || {
		echo "kselftest: $file is missing; run: make vm-module tool" >&2
		exit 1
	}
done
mkdir -p "$top/build/vm"
rm -f "$log"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

status=0
"$top/scripts/vm.sh" -k "$kver" -t "$limit" --dmesg "$log" -e "WGPP_MODULE=$module" -e "WGTOOL=$tool" \
	-- "$top/selftests/run.sh" "$@" 2>&1 | tee "$out" || status=$?

summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$out" | tail -n 1 || true)
read -r passed _ failed _ skipped _ <<<"${summary:-0 passed, 0 failed, 0 skipped}"
if [[ -z $summary ]]; then
	# The guest died on the way: what it had reported until then still counts.
	passed=$(grep -cE '^ *ok [0-9]+ ' "$out" || true)
	failed=$(($(grep -cE '^ *not ok [0-9]+ ' "$out" || true) + 1))
	echo "not ok - the selftests reach their end (status $status)"
elif [[ $status != 0 && $failed == 0 ]]; then
	failed=1
	echo "not ok - the selftests end with status 0, not $status"
fi

# From the end of the boot on; what stock hardware emulation says before is not ours.
sed '1,/wgpp-vm: running the command/d' "$log" >"$out"
bad=$("$top/scripts/scan-log.sh" "$out") || true
if [[ ! -s $out ]]; then
	failed=$((failed + 1))
	echo "not ok - the kernel log was kept ($log is empty)"
elif [[ -n $bad ]]; then
	failed=$((failed + 1))
	echo "not ok - the kernel log of the whole run is clean ($log):"
	while IFS= read -r line; do echo "  # $line"; done <<<"$bad"
else
	passed=$((passed + 1))
	echo "ok - the kernel log of the whole run is clean"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed == 0 ]]
