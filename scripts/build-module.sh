#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the module for the virtual machine's kernel, or another, outside the source directory,
# so that builds for several kernels live side by side and the sources stay clean.
#
#	scripts/build-module.sh [-k KVER | -K KDIR] [-d DIR] [--check]
#
# -K names a kernel that was built, or its headers; ARCH in the environment is its architecture
# (ARCH=um for User-Mode Linux). DIR defaults to build/module-KVER; the result is DIR/wgpp.ko.
# --check builds everything anew, has sparse read each C file, and fails when the compiler,
# objtool, modpost or sparse warns.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kver='' kdir='' dir='' strict=no
while [[ $# -gt 0 ]]; do
	case $1 in
	-k) kver=${2:?"-k needs a kernel version"}; shift 2 ;;
	-K) kdir=${2:?"-K needs a kernel's build directory"}; shift 2 ;;
	-d) dir=${2:?"-d needs a directory"}; shift 2 ;;
	--check) strict=yes; shift ;;
	-h | --help) sed -n '4,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
	*) echo "build-module.sh: unknown argument '$1' (try --help)" >&2; exit 1 ;;
	esac
done
if [[ -n $kdir ]]; then
	kdir=$(realpath -m "$kdir")
	if [[ ! -e $kdir/include/config/kernel.release ]]; then
		echo "build-module.sh: $kdir is no built kernel: no include/config/kernel.release" >&2
		exit 1
	fi
	kver=$(<"$kdir/include/config/kernel.release")${ARCH:+-$ARCH}
fi
[[ -n $kver ]] || kver=$("$top/scripts/kernel.sh" --print kver)
[[ -n $dir ]] || dir=$top/build/module-$kver
dir=$(realpath -m "$dir") # Kbuild runs elsewhere
[[ -n $kdir ]] || kdir=$("$top/scripts/kernel.sh" -k "$kver" --print kdir)
if [[ ! -e $top/module/Kbuild ]]; then
	echo "build-module.sh: $top/module/Kbuild is missing; the checkout is incomplete" >&2
	exit 1
fi

[[ $strict == no ]] || rm -rf "$dir"
mkdir -p "$dir"

# Kbuild may write its objects next to the sources, so the sources are copied; only
# what changed, that a rebuild stays short. What has left the tree leaves the copy.
sources() {
	(cd "$1" && find . -type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' -o -name '*.hh' \
		-o -name '*.S' -o -name Kbuild -o -name Makefile \) \
		! -name '*.mod.c' ! -name '*_test.cc' ! -path '*/fuzz/*' | LC_ALL=C sort)
}
sources "$top/module" >"$dir/.sources"
LC_ALL=C comm -13 "$dir/.sources" <(sources "$dir") | while read -r file; do rm -f "${dir:?}/$file"; done
(cd "$top/module" && xargs -d '\n' cp -pu --parents -t "$dir" <"$dir/.sources")

declare -a flags=()
[[ $strict == no ]] || flags=(C=2 "CHECK=sparse")
status=0
make -C "$kdir" M="$dir" -j"$(nproc)" "${flags[@]}" modules </dev/null 2>&1 | tee "$dir/build.log" || status=$?
if [[ $status != 0 ]]; then
	echo "build-module.sh: the build failed (log: $dir/build.log)" >&2
	exit 1
fi
if [[ $strict == yes ]] && grep -n -E 'warning:|WARNING:|error:' "$dir/build.log" >"$dir/warnings"; then
	echo "build-module.sh: the build warns (log: $dir/build.log):" >&2
	cat "$dir/warnings" >&2
	exit 1
fi
if [[ ! -e $dir/wgpp.ko ]]; then
	echo "build-module.sh: the build ended without $dir/wgpp.ko (log: $dir/build.log)" >&2
	exit 1
fi
