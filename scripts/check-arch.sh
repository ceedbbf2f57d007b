#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The core on other architectures: its unit tests, built with Debian's cross compilers and run by
# QEMU's emulation of a program, on 64 and 32 bits, little and big endian; and the module built for
# Debian's arm64 kernel, which nothing here loads.
#
#	scripts/check-arch.sh [ARCHITECTURE...]     default: all; see `architectures`
#
# The last line is "N passed, N failed, N skipped": the unit tests of all, and one for the module.
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
architectures=(arm64 armhf i386 powerpc s390x)
declare -A triplet=([arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf [i386]=i686-linux-gnu
	[powerpc]=powerpc-linux-gnu [s390x]=s390x-linux-gnu)
declare -A emulator=([arm64]=aarch64 [armhf]=arm [i386]=i386 [powerpc]=ppc [s390x]=s390x)

for word in "$@"; do
	case $word in
	-h | --help) sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
	esac
	[[ -n ${triplet[$word]-} ]] || {
		echo "check-arch: no architecture '$word'; there are: ${architectures[*]}" >&2
		exit 2
	}
done
[[ $# == 0 ]] || architectures=("$@")
scripts/setup.sh build check arch

passed=0 failed=0
fail() {
	failed=$((failed + 1))
	echo "not ok - $1 (log: $2)"
	tail -n 20 "$2" | sed 's/^/# /'
}

unit_tests() {
	local arch=$1 dir=build/arch/$1 log=build/arch/$1.log num num_failed status=0
	mkdir -p "$dir"
	if ! { cmake -S . -B "$dir" -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=${emulator[$arch]}" \
		"-DCMAKE_CXX_COMPILER=${triplet[$arch]}-g++" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DCMAKE_EXE_LINKER_FLAGS=-static \
		"-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-${emulator[$arch]}-static" \
		-DWGPP_TOOL=OFF -DWGPP_SELFTEST_TOOLS=OFF &&
		cmake --build "$dir" --target core_test -j "$(nproc)"; } >"$log" 2>&1; then
		fail "$arch: the unit tests build" "$log"
		return
	fi
	"qemu-${emulator[$arch]}-static" "$dir/core_test" >"$log" 2>&1 </dev/null || status=$?
	num=$(grep -c '^\[       OK \]' "$log" || true)
	num_failed=$(grep -cE '^\[  FAILED  \].*\([0-9]+ ms\)' "$log" || true)
	passed=$((passed + num))
	failed=$((failed + num_failed))
	if [[ $num_failed == 0 ]] && { [[ $status != 0 || $num == 0 ]]; }; then
		fail "$arch: the unit tests end" "$log"
		return
	fi
	[[ $num_failed == 0 ]] || grep '^\[  FAILED  \]' "$log" | sed 's/^/# /'
	echo "$arch: $num passed, $num_failed failed"
}

# Its headers, which come in two packages, with this machine's programs of the kernel's build.
arm64_headers() {
	local dir=$1 meta package file
	[[ ! -e $dir/kdir ]] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	meta=$(scripts/debian-package.sh bookworm linux-headers-arm64 "$dir" arm64)
	package=$(dpkg-deb -f "$meta" Depends | grep -oE 'linux-headers-[^ ,]*-arm64')
	for file in "$package" "${package%-arm64}-common"; do
		dpkg-deb -x "$(scripts/debian-package.sh bookworm "$file" "$dir" arm64)" "$dir"
	done
	ln -sfn "$(realpath /usr/src/linux-kbuild-6.1)" "$dir/usr/src/linux-kbuild-6.1"
	mkdir -p "$dir/usr/lib"
	ln -sfn "$(realpath /usr/lib/linux-kbuild-6.1)" "$dir/usr/lib/linux-kbuild-6.1"
	echo "include $dir/usr/src/${package%-arm64}-common/Makefile" >"$dir/usr/src/$package/Makefile"
	ln -s "usr/src/$package" "$dir/kdir"
}

arm64_module() {
	local dir=$PWD/build/arch/headers log=build/arch/module.log
	if ! { arm64_headers "$dir" &&
		CROSS_COMPILE=aarch64-linux-gnu- ARCH=arm64 scripts/build-module.sh --check -K "$dir/kdir" \
			-d build/arch/module; } >"$log" 2>&1; then
		fail "arm64: the module builds without a warning" "$log"
		return
	fi
	passed=$((passed + 1))
	echo "arm64: the module builds without a warning"
}

for arch in "${architectures[@]}"; do
	unit_tests "$arch"
	[[ $arch != arm64 ]] || arm64_module
done
echo "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
