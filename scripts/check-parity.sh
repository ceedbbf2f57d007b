#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Generated commands for the system's wg(8) and for wgtool under its name, on devices of
# wireguard-go: selftests/parity.py has the details.
#
#	scripts/check-parity.sh [PARITY-OPTION...]
#
# CASES (5000) and SEED choose which; REFERENCE is the wg to compare with (wg). It needs root, for
# namespaces, and /dev/net/tun; without them it skips and says so. No module is loaded, and nothing
# of this machine's network is seen or touched.
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"

case ${1-} in
-h | --help) sed -n '4,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac

skip() {
	echo "ok - wgtool matches wg # SKIP $*"
	exit 0
}

[[ $(id -u) == 0 ]] || skip "not root, which the namespaces need"
[[ -c /dev/net/tun ]] || skip "no /dev/net/tun, which wireguard-go needs"
unshare --net --mount true 2>/dev/null || skip "no namespaces may be made here"
# Missing programs are a broken set-up, never a reason to skip.
for program in wireguard-go python3 "${REFERENCE:-wg}"; do
	command -v "${program%% *}" >/dev/null || {
		echo "not ok - $program is not installed; run: scripts/setup.sh"
		exit 1
	}
done

make --no-print-directory tool >/dev/null
python3 selftests/parity.py --tool build/tool/wgtool --cases "${CASES:-5000}" \
	${SEED:+--seed "$SEED"} --reference "${REFERENCE:-wg}" "$@"
