#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetches Debian's stock kernel for the virtual machine: downloads and unpacks the
# package under build/kernel/ABI, installs nothing and touches no boot loader.
#
#	scripts/kernel.sh [-k ABI]                fetch when missing, print the directory
#	scripts/kernel.sh [-k ABI] --print WHAT   WHAT: kver, kdir, root, vmlinuz, vmlinux,
#	                                          modules, busybox (fetches when needed)
#
# The ABI (for example 6.1.0-56-amd64) is chosen so that image and headers match: -k or
# $WGPP_KVER, else the newest installed linux-headers whose image can be had, else what
# the archive's linux-headers-amd64 depends on. $WGPP_KERNELS names another cache
# directory, which several checkouts may share.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${WGPP_KERNELS:-$top/build/kernel}

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

note() { echo "kernel: $*" >&2; }

abi=${WGPP_KVER:-}
what=root
while [[ $# -gt 0 ]]; do
	case $1 in
	-k) abi=${2:?"-k needs an ABI such as 6.1.0-56-amd64"}; shift 2 ;;
	--print) what=${2:?"--print needs a word"}; shift 2 ;;
	-h | --help) sed -n '4,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
	*) die "unknown argument '$1' (try --help)" ;;
	esac
done

# What linux-headers-amd64 (the metapackage of the running release) stands for.
archive_abi() {
	apt-cache depends --no-recommends linux-headers-amd64 2>/dev/null |
		sed -n 's/^ *Depends: linux-headers-\([0-9].*-amd64\)$/\1/p' | sort -V | tail -n 1
}

image_known() {
	[[ -e $cache/$1/vmlinuz ]] || apt-cache show "linux-image-$1" >/dev/null 2>&1
}

choose_abi() {
	local candidate
	while read -r candidate; do
		if image_known "$candidate"; then
			echo "$candidate"
			return
		fi
	done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'linux-headers-*-amd64' 2>/dev/null |
		sed -n 's/^ii *linux-headers-\([0-9].*-amd64\)$/\1/p' | grep -v -e cloud -e -rt- | sort -rV)
	archive_abi
}

if [[ -z $abi ]]; then
	command -v apt-cache >/dev/null ||
		die "needs apt: the virtual machine runs Debian's kernel package (give -k ABI when it is cached)"
	abi=$(choose_abi)
	[[ -n $abi ]] ||
		die "the package lists name no linux-headers-amd64; run 'apt-get update', or scripts/setup.sh"
fi
[[ $abi =~ ^[0-9][A-Za-z0-9.+~-]*$ ]] || die "'$abi' is no kernel version (want one like 6.1.0-56-amd64)"

root=$cache/$abi

case $what in
kver) echo "$abi"; exit 0 ;;
kdir)
	echo "/usr/src/linux-headers-$abi"
	[[ -e /usr/src/linux-headers-$abi/Makefile ]] && exit 0
	die "headers for $abi are missing; install them with: apt-get install linux-headers-$abi"
	;;
esac

# download PACKAGE DIR: the .deb lands in DIR; as root apt would warn that its sandbox user
# cannot write there, hence the option.
download() {
	local package=$1 dir=$2 sandbox=()
	[[ $(id -u) == 0 ]] && sandbox=(-o APT::Sandbox::User=root)
	if ! (cd "$dir" && apt-get "${sandbox[@]}" -q download "$package" >"$dir/log" 2>&1); then
		cat "$dir/log" >&2
		die "cannot download $package; run 'apt-get update' (or scripts/setup.sh) and try again"
	fi
}

# The payload of a bzImage is the ELF kernel, compressed. Booting the ELF directly spares the
# guest the decompression, which takes seconds under emulation. Offsets: Documentation/
# arch/x86/boot.rst, fields setup_sects, payload_offset and payload_length.
extract_vmlinux() {
	local image=$1 out=$2 sects offset length magic tool
	sects=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
	offset=$(od -An -tu4 -j $((0x248)) -N 4 "$image")
	length=$(od -An -tu4 -j $((0x24c)) -N 4 "$image")
	offset=$((offset + (sects + 1) * 512))
	magic=$(od -An -tx1 -j "$offset" -N 4 "$image" | tr -d ' \n')
	case $magic in
	fd377a58) tool=xz ;;
	28b52ffd) tool=zstd ;;
	1f8b*) tool=gzip ;;
	*) return 1 ;;
	esac
	command -v "$tool" >/dev/null || return 1
	# Four bytes after the stream hold the uncompressed size and upset the decompressor.
	tail -c +$((offset + 1)) "$image" | head -c $((length - 4)) | "$tool" -dc >"$out" 2>/dev/null || true
	[[ $(od -An -tx1 -N 4 "$out" | tr -d ' \n') == 7f454c46 ]]
}

fetch() {
	local work
	work=$(mktemp -d -p "$cache" --suffix=.fetch)
	# shellcheck disable=SC2064 # the directory of now, not of later
	trap "rm -rf '$work'" EXIT
	note "downloading linux-image-$abi"
	download "linux-image-$abi" "$work"
	note "unpacking $(basename "$work"/*.deb)"
	mkdir "$work/deb"
	dpkg-deb --fsys-tarfile "$work"/linux-image-*.deb | tar -x -C "$work/deb" --no-same-owner
	# Newer Debian packages ship usr/lib where older ones ship lib.
	[[ -d $work/deb/lib/modules ]] || ln -s usr/lib "$work/deb/lib"
	depmod -b "$work/deb" "$abi"
	cp "$work/deb/boot/vmlinuz-$abi" "$work/deb/vmlinuz"
	if ! extract_vmlinux "$work/deb/vmlinuz" "$work/deb/vmlinux"; then
		rm -f "$work/deb/vmlinux"
		note "cannot unpack the compressed kernel; it will be booted as it is"
	fi
	rm -rf "$root"
	mv "$work/deb" "$root"
}

# busybox-static is unpacked, not installed: it conflicts with the busybox of a stock system.
fetch_busybox() {
	local work
	if [[ -x /bin/busybox ]] && ! LC_ALL=C ldd /bin/busybox >/dev/null 2>&1; then
		cp /bin/busybox "$cache/busybox"
		return
	fi
	work=$(mktemp -d -p "$cache" --suffix=.fetch)
	# shellcheck disable=SC2064
	trap "rm -rf '$work'" EXIT
	note "downloading busybox-static"
	download busybox-static "$work"
	dpkg-deb -x "$work"/busybox-static_*.deb "$work/deb"
	cp "$work"/deb/*bin/busybox "$cache/busybox" 2>/dev/null || cp "$work"/deb/usr/bin/busybox "$cache/busybox"
}

mkdir -p "$cache"
if [[ ! -e $root/vmlinuz || ! -x $cache/busybox ]]; then
	exec 9>"$cache/.lock"
	flock 9
	[[ -x $cache/busybox ]] || (fetch_busybox)
	[[ -e $root/vmlinuz ]] || (fetch)
	exec 9>&-
fi

case $what in
root) echo "$root" ;;
vmlinuz) echo "$root/vmlinuz" ;;
vmlinux)
	if [[ -e $root/vmlinux ]]; then echo "$root/vmlinux"; else echo "$root/vmlinuz"; fi
	;;
modules) echo "$root/lib/modules/$abi" ;;
busybox) echo "$cache/busybox" ;;
*) die "--print knows kver, kdir, root, vmlinuz, vmlinux, modules and busybox, not '$what'" ;;
esac
