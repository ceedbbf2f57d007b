#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random changes to tunnels under traffic, in the debug kernel.
#
#	SOAK_SECONDS=600 WGPP_SEED=SEED scripts/soak.sh
#
# selftests/soak.sh says what happens. Afterwards the kernel log has to be clean and kmemleak
# silent. The last line is "N passed, N failed, N skipped".
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1-} in
'') ;;
*) sed -n '4,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
seconds=${SOAK_SECONDS:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
	echo "soak: SOAK_SECONDS wants whole seconds, not '$seconds'" >&2
	exit 2
}
kdir=$("$top/scripts/source-kernel.sh" debug --print kdir)
module=$top/build/module-debug
mkdir -p "$top/build"
build() {
	ARCH=um "$top/scripts/build-module.sh" -K "$kdir" -d "$module" || return
	make -C "$top" --no-print-directory tool
}
if ! build >"$top/build/soak.log" 2>&1; then
	tail -n 20 "$top/build/soak.log" >&2
	echo "soak: module or tool do not build (log: build/soak.log)" >&2
	exit 1
fi
log=$top/build/vm/soak.dmesg
mkdir -p "$top/build/vm"
status=0
# Set-up, the last transfers and the search for leaks come on top.
"$top/scripts/uml.sh" -t $((seconds + 400)) --dmesg "$log" -e "WGPP_MODULE=$module/wgpp.ko" \
	-e "WGTOOL=$top/build/tool/wgtool" -e "SOAK_SECONDS=$seconds" \
	-e "WGPP_SEED=${WGPP_SEED:-$((RANDOM << 15 | RANDOM))}" -e "VERBOSE=${VERBOSE-}" \
	-- "$top/selftests/run.sh" soak || status=$?
sed '1,/wgpp-vm: running the command/d' "$log" >"$log.after"
if ! "$top/selftests/scan-log.sh" "$log.after"; then
	echo "soak: the kernel log has the lines above ($log)" >&2
	status=1
fi
exit "$status"
