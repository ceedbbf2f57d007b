#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the Debian packages that building, the virtual machine and the checks need.
#
#	scripts/setup.sh [build] [vm] [check] [debug] [bench] [arch] [avx512]     no argument: the first three
#
# A set whose packages are all there costs one dpkg-query and needs neither network nor root.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build=(g++ make cmake pkg-config libnl-3-dev libnl-genl-3-dev libfmt-dev nlohmann-json3-dev kmod xz-utils)
vm=(qemu-system-x86 seabios cpio kmod xz-utils util-linux procps iproute2 nftables iputils-ping
	iperf3 wireguard-tools wireguard-go tcpdump socat python3 ethtool conntrack)
check=(g++ clang clang-format clang-tidy libclang-rt-14-dev llvm libgtest-dev libgmock-dev sparse
	shellcheck mandoc zsh fish systemd binutils git pkg-config libssl-dev libsodium-dev nlohmann-json3-dev valgrind
	debian-archive-keyring)
# For scripts/source-kernel.sh alone
debug=(gcc make flex bison bc xz-utils kmod libc6-dev debian-archive-keyring)
# For scripts/bench.sh alone
bench=(g++ gcc cmake make libbenchmark-dev libfmt-dev libnl-genl-3-dev nlohmann-json3-dev libssl-dev libsodium-dev pkg-config perl xz-utils debian-archive-keyring)

# For scripts/check-arch.sh alone
arch=(qemu-user-static g++-aarch64-linux-gnu g++-arm-linux-gnueabihf g++-i686-linux-gnu
	g++-powerpc-linux-gnu g++-s390x-linux-gnu debian-archive-keyring)

# For scripts/check-avx512.sh alone
avx512=(bochs bochs-term isolinux syslinux-common xorriso cpio gcc make flex bison bc xz-utils kmod
	libc6-dev libelf-dev debian-archive-keyring)

installed() {
	[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ?i* ]]
}

# missing PACKAGE...: prints those that are not installed.
missing() {
	local package
	for package in "$@"; do
		installed "$package" || printf '%s\n' "$package"
	done
}

as_root() {
	if [[ $(id -u) == 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "setup: installing packages needs root: run 'scripts/setup.sh' as root, or install sudo" >&2
		return 1
	fi
}

apt() {
	# The timeout waits for another apt that holds the lock, as on a machine that just booted.
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=3 "$@" </dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

updated=no
update_lists() {
	[[ $updated == no ]] || return 0
	updated=yes
	echo "setup: reading the package lists"
	apt update >"$log" 2>&1 || apt update >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		echo "setup: apt-get update failed (shown above); trying with the lists at hand" >&2
	}
}

have_lists() {
	apt-cache show linux-headers-amd64 >/dev/null 2>&1
}

# The headers must be those of the kernel that the virtual machine boots, so that the choice
# is made in one place, kernel.sh; it needs package lists to make it.
headers_package() {
	local kver
	kver=$("$top/scripts/kernel.sh" --print kver) && echo "linux-headers-$kver"
}

install_set() {
	local name=$1 attempt lacking headers
	shift
	local -a packages=("$@")
	for attempt in 1 2; do
		if [[ $name == build ]]; then
			have_lists || update_lists
			headers=$(headers_package) || return 1
			packages=("$@" "$headers")
		fi
		mapfile -t lacking < <(missing "${packages[@]}")
		if [[ ${#lacking[@]} == 0 ]]; then
			echo "setup: $name: all ${#packages[@]} packages are there"
			return 0
		fi
		have_lists || update_lists
		echo "setup: $name: installing ${lacking[*]}"
		if apt install --no-install-recommends "${lacking[@]}" >"$log" 2>&1; then
			echo "setup: $name: done"
			return 0
		fi
		# Stale lists name versions that the archive no longer has; read them anew, once.
		[[ $attempt == 2 || $updated == yes ]] || update_lists
	done
	tail -n 20 "$log" >&2
	echo "setup: $name: could not install: ${lacking[*]} (apt's words are above)" >&2
	return 1
}

sets=("$@")
[[ ${#sets[@]} -gt 0 ]] || sets=(build vm check)
for name in "${sets[@]}"; do
	case $name in
	build | vm | check | debug | bench | arch | avx512) ;;
	*)
		echo "setup: no set '$name'; the sets are: build vm check debug bench arch avx512" >&2
		exit 1
		;;
	esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "setup: no apt-get here; install these by your own means (Debian's names):" \
		"${build[*]} linux-headers ${vm[*]} busybox-static ${check[*]}" >&2
	exit 1
fi
if [[ $(dpkg --print-architecture) != amd64 ]]; then
	echo "setup: the virtual machine and its kernel are amd64 only, this is $(dpkg --print-architecture)" >&2
	exit 1
fi

for name in "${sets[@]}"; do
	case $name in
	build) install_set build "${build[@]}" ;;
	vm) install_set vm "${vm[@]}" ;;
	check) install_set check "${check[@]}" ;;
	debug) install_set debug "${debug[@]}" ;;
	bench) install_set bench "${bench[@]}" ;;
	arch) install_set arch "${arch[@]}" ;;
	avx512) install_set avx512 "${avx512[@]}" ;;
	esac
done
