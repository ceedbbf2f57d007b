#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make demo: from a fresh Debian machine to a file fetched through the tunnel. Installs the
# packages, builds module and tool, fetches Debian's kernel, and plays demo/star.sh in a
# virtual machine that runs it. Nothing is loaded into this machine's kernel.
#
#	scripts/demo.sh [--compare]      --compare plays it with the in-tree module as well
#
# DEMO_MODULE=in-tree plays it with the kernel's own module alone, DEMO_TOOL=wg with Debian's
# tool; each then needs no build of ours.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
compare=no
case ${1-} in
'') ;;
--compare) compare=yes ;;
*) echo "demo.sh: unknown argument '$1'; it knows --compare" >&2; exit 1 ;;
esac

say() { printf '\n== %3d s  %s\n' "$SECONDS" "$*"; }
failed() {
	echo "demo: FAILED: $*" >&2
	exit 1
}

# logged NAME COMMAND...: runs it with every line also in build/NAME.log; a terminal sees a
# build's lines as they come.
logged() {
	local name=$1
	shift
	"$@" 2>&1 | tee "build/$name.log"
}
mkdir -p build

say "packages"
scripts/setup.sh build vm || failed "packages are missing"

say "kernel for the virtual machine"
kver=$(scripts/kernel.sh --print kver) || failed "no kernel chosen"
scripts/kernel.sh -k "$kver" >/dev/null || failed "no kernel"
echo "Debian's linux-image-$kver"

module=${DEMO_MODULE:-}
if [[ -z $module ]]; then
	say "module"
	logged module scripts/build-module.sh -k "$kver" || failed "the module does not build (build/module.log)"
	module=$top/build/module-$kver/wgpp.ko
fi
tool=${DEMO_TOOL:-}
if [[ -z $tool ]]; then
	say "tool"
	logged tool make --no-print-directory tool || failed "the tool does not build (build/tool.log)"
	tool=$top/build/tool/wgtool
fi

modules=("$module")
[[ $compare == no ]] || modules+=(in-tree)
say "virtual machine"
status=0
scripts/vm.sh -k "$kver" -t 400 -e "TOOL=$tool" -- demo/star.sh "${modules[@]}" || status=$?
[[ $status != 0 ]] || echo "(all of it: $SECONDS s)"
exit "$status"
