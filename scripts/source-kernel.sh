#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds a kernel from Debian's package linux-source-6.12, with the options of a file beside this.
# Kept in build/kernel/NAME-HASH, a directory for each configuration, that checkouts which share a
# cache do not build over one another.
#
#	scripts/source-kernel.sh NAME                   build when missing, print the directory
#	scripts/source-kernel.sh NAME --print WHAT      WHAT: release, kdir, linux, modules
#
# debug: User-Mode Linux with KASAN, UBSAN, lockdep, PROVE_RCU, DEBUG_OBJECTS, kmemleak, page
# poisoning and fault injection (debug.config). It is an ordinary program: it runs at the
# machine's own speed, needs no privilege, and scripts/uml.sh boots it in seconds.
# avx512: small enough that it boots in an emulated processor within a minute (avx512.config).
#
# $WGPP_KERNELS names another cache directory; $WGPP_KERNEL_SOURCE a package other than
# linux-source-6.12. Later kernels could have several processors in User-Mode Linux, and then every
# change of the interrupt flag is a system call: with KASAN and lockdep 7.2 needs minutes to boot.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${WGPP_KERNELS:-$top/build/kernel}

die() {
	echo "source-kernel.sh: $*" >&2
	exit 1
}

note() { echo "source-kernel: $*" >&2; }

name='' what=root
while [[ $# -gt 0 ]]; do
	case $1 in
	debug) name=$1 arch=um target=linux image=linux ;;
	avx512) name=$1 arch=x86_64 target=bzImage image=arch/x86/boot/bzImage ;;
	--print) what=${2:?"--print needs a word"}; shift ;;
	-h | --help) sed -n '4,20s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
	*) die "unknown argument '$1' (try --help)" ;;
	esac
	shift
done
[[ -n $name ]] || die "which kernel: debug or avx512?"
config=$top/scripts/$name.config
root=$cache/$name-$(grep "^CONFIG_" "$config" | sha256sum | cut -c 1-8)

build() {
	local work log
	work=$(mktemp -d -p "$cache" --suffix=".$name")
	# shellcheck disable=SC2064 # the directory of now, not of later
	trap "rm -rf '$work'" EXIT
	log=$cache/$name.log
	for tool in make gcc flex bison bc xz depmod; do
		command -v "$tool" >/dev/null || die "$tool is missing; run: scripts/setup.sh $name"
	done
	"$top/scripts/linux-source.sh" trixie "${WGPP_KERNEL_SOURCE:-linux-source-6.12}" "$work/source" ||
		die "the kernel's source is missing (see above)"
	note "building (about ten minutes on two processors; log: $log)"
	# In its final place: what Kbuild writes down are absolute paths.
	mkdir -p "$root"
	rm -rf "$root/source" "$root/modules"
	mv "$work/source" "$root/source"
	if ! configure >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die "the kernel cannot be configured (log: $log)"
	fi
	verify
	if ! compile >>"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die "the kernel does not build (log: $log)"
	fi
	: >"$root/complete"
}

configure() {
	make -C "$root/source" ARCH="$arch" tinyconfig &&
		cat "$config" >>"$root/source/.config" &&
		make -C "$root/source" ARCH="$arch" olddefconfig
}

compile() {
	make -C "$root/source" ARCH="$arch" -j"$(nproc)" "$target" modules &&
		make -C "$root/source" ARCH="$arch" INSTALL_MOD_PATH="$root/modules" INSTALL_MOD_STRIP=1 \
			modules_install
}

# An option that the kernel renamed or that lacks a dependency disappears without a word, and
# a check that is not compiled in finds nothing.
verify() {
	local line lost=''
	while read -r line; do
		case $line in
		CONFIG_*=n) ! grep -q "^${line%=n}=" "$root/source/.config" || lost+=" $line" ;;
		CONFIG_*=*) grep -qxF "$line" "$root/source/.config" || lost+=" ${line%%=*}" ;;
		esac
	done <"$config"
	[[ -z $lost ]] || die "this kernel does not take:$lost"
}

mkdir -p "$cache"
if [[ ! -e $root/complete ]]; then
	exec 9>"$cache/.$name.lock"
	flock 9
	[[ -e $root/complete ]] || (build)
	exec 9>&-
fi

release=$(cat "$root/source/include/config/kernel.release")
case $what in
root) echo "$root" ;;
release) echo "$release" ;;
kdir) echo "$root/source" ;;
linux) echo "$root/source/$image" ;;
modules) echo "$root/modules/lib/modules/$release" ;;
*) die "--print knows release, kdir, linux and modules, not '$what'" ;;
esac
