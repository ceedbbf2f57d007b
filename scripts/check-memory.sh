#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Looks for keys in the memory of a virtual machine that has had a tunnel; see
# selftests/memory/search.py. WGPP_MODULE and WGTOOL as in scripts/kselftest.sh. Prints KTAP.
#
#	scripts/check-memory.sh
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
kver=$(scripts/kernel.sh --print kver)
module=${WGPP_MODULE:-$top/build/module-$kver/wgpp.ko}
tool=${WGTOOL:-$top/build/tool/wgtool}
for file in "$module" "$tool"; do
	[[ -e $file ]] || {
		echo "check-memory: $file is missing; run: make vm-module tool" >&2
		exit 1
	}
done
log=build/check-memory.log
if ! cmake --build build/tool --target outside_peer -j "$(nproc)" >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "check-memory: the peer outside does not build (log: $log)" >&2
	exit 1
fi
exec selftests/memory/search.py --peer build/tool/outside_peer --tool "$tool" --module "$module" \
	--vm "$top/scripts/vm.sh -k $kver -t 300"
