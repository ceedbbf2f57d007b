#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The level avx512 on a machine without such a processor: Bochs emulates one, with a small kernel
# (scripts/source-kernel.sh). The tests of packets and of X25519 in batches beside vectors and other
# libraries, the searches for branches and addresses that depend on secrets and for secrets on the
# stack, and the module: its self-test in the kernel, and packets through a tunnel to the in-tree
# module, also after a new key for a device of several peers.
#
#	AVX512_SECONDS=5400 scripts/check-avx512.sh
#
# Bochs does not emulate ADX as processors do it, so that a point by itself is multiplied portably
# there. It is slow: the check takes half an hour, and has AVX512_SECONDS. The last line is "N passed,
# N failed, N skipped".
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
case ${1-} in
'') ;;
-h | --help) sed -n '4,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
*) echo "check-avx512: no arguments are known (try --help)" >&2; exit 2 ;;
esac
limit=${AVX512_SECONDS:-5400}
[[ $limit =~ ^[1-9][0-9]*$ ]] || {
	echo "check-avx512: AVX512_SECONDS wants whole seconds, not '$limit'" >&2
	exit 2
}
scripts/setup.sh build vm check avx512
kernel=$(scripts/source-kernel.sh avx512)
kdir=$(scripts/source-kernel.sh avx512 --print kdir)
release=$(scripts/source-kernel.sh avx512 --print release)
wycheproof=$(scripts/wycheproof.sh)
dir=build/avx512
mkdir -p "$dir"
log=$dir/build.log
# build DIR CXX FLAGS OPTION TARGET...
build() {
	cmake -S . -B "$1" -DCMAKE_CXX_COMPILER="$(command -v "$2")" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_CXX_FLAGS_RELEASE="$3" -DWGPP_TOOL=OFF -DWGPP_SELFTEST_TOOLS=OFF "$4" &&
		cmake --build "$1" -j "$(nproc)" --target "${@:5}"
}
if ! { scripts/build-module.sh -K "$kdir" -d build/module-avx512 && make tool &&
	build "$dir/host" g++ -O2 "-DWGPP_WYCHEPROOF=$wycheproof" core_test reference_test &&
	build "$dir/host-clang" clang++ -O2 "-DWGPP_WYCHEPROOF=$wycheproof" reference_test &&
	build "$dir/secrets" g++ -O2 -DWGPP_CONSTANT_TIME=ON residue trace &&
	build "$dir/secrets-clang" clang++ -O2 -DWGPP_CONSTANT_TIME=ON residue trace &&
	build "$dir/probe" clang++ '-O2 -fsanitize=memory -mllvm -msan-poison-stack=0' \
		-DWGPP_CONSTANT_TIME=ON probe; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "check-avx512: it does not build (log: $log)" >&2
	exit 2
fi

# ---- the machine: a CD with kernel and initial file system
work=$(mktemp -d --suffix=.avx512)
# Bochs' debugger has another use for the signal that ends other programs.
cleanup() {
	pkill -KILL -f "bochs.* -f $work/bochsrc" || true
	rm -rf "$work"
}
trap cleanup EXIT
root=$work/root
mkdir -p "$root"/{bin,proc,sys,dev,mod,tmp,run/netns,lib64} "$work/cd"
cp "$(scripts/kernel.sh --print busybox)" "$root/bin/busybox"
cp build/module-avx512/wgpp.ko "$root/mod/"
# install PROGRAM [NAME]: with the libraries that it loads
install() {
	cp "$1" "$root/bin/${2-}"
	ldd "$1" | grep -oE '/[^ ]+' | while read -r library; do
		cp --parents "$library" "$root/"
	done
}
for file in "$(command -v wg)" "$(command -v ip)" build/tool/wgtool "$dir/host/core_test" \
	"$dir/probe/constant-time/probe"; do
	install "$file"
done
for suffix in '' -clang; do
	install "$dir/host$suffix/module/core/reference/reference_test" "reference_test$suffix"
	install "$dir/secrets$suffix/constant-time/residue" "residue$suffix"
	install "$dir/secrets$suffix/constant-time/trace" "trace$suffix"
	objdump -d --no-show-raw-insn "$dir/secrets$suffix/constant-time/trace" \
		>"$root/trace$suffix.asm"
done
# Where the tests look for them
cp -r --parents "$PWD/module/core/vectors" "$wycheproof" "$root/"
modprobe -S "$release" -d "$kernel/modules" -D wireguard | awk '$1 == "insmod" { print $2 }' |
	while read -r file; do
		cp "$file" "$root/mod/"
		basename "$file" >>"$root/mod/order"
	done

cat >"$root/init" <<'GUEST'
#!/bin/busybox sh
# Each result is a line of its own, with a word in front that nothing else on the console has.
export PATH=/bin
# The loader saves registers with XSAVEC where it looks a function up late (see below).
export LD_BIND_NOW=1
# OpenSSL would multiply with ADX.
export OPENSSL_ia32cap=:~0x80000
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
echo 1 >/proc/sys/kernel/printk
exec >/dev/ttyS0 2>&1

check() {
	name=$1
	shift
	if "$@" >/tmp/out 2>&1; then
		echo "RESULT ok - $name"
	else
		echo "RESULT not ok - $name"
		tail -n 12 /tmp/out | sed 's/^/RESULT # /'
	fi
}

has_avx512() {
	grep -qw avx512vl /proc/cpuinfo && grep -qw avx512ifma /proc/cpuinfo || return
	# The programs see it, too.
	wgtool --version -v | grep 'avx512.*+ifma'
}
tests() {
	# Some, and not none.
	for level in avx512 ifma; do
		"$1" --gtest_filter="*$level*" --gtest_list_tests | grep -c "$level" || return
	done
	"$1" --gtest_brief=1 --gtest_filter='*avx512*:*ifma*'
}
ends_with() {
	status=$1
	shift
	"$@"
	[ $? = "$status" ]
}
loads() {
	while read -r module; do insmod "/mod/$module"; done </mod/order
	insmod /mod/wgpp.ko kind=wgpp || { dmesg | tail -n 5; return 1; }
	dmesg | grep "crypto avx512, X25519 portable+ifma, self-test passed"
}
tunnel() {
	/bin/ip netns add b
	/bin/ip link add outer type veth peer name outer netns b
	/bin/ip addr add 192.0.2.1/24 dev outer && /bin/ip link set outer up
	/bin/ip -n b addr add 192.0.2.2/24 dev outer && /bin/ip -n b link set outer up
	/bin/ip link add wg0 type wgpp && /bin/ip -n b link add wg0 type wireguard
	umask 077
	wg genkey >/tmp/a && wg genkey >/tmp/b
	# wg speaks to the in-tree module alone; wgpp takes the same messages under another name.
	/bin/ip netns exec b wg set wg0 private-key /tmp/b listen-port 5002 peer "$(wg pubkey </tmp/a)" \
		allowed-ips 10.9.0.1/32 endpoint 192.0.2.1:5001
	WGTOOL_KIND=wgpp wgtool set wg0 private-key /tmp/a listen-port 5001 peer "$(wg pubkey </tmp/b)" \
		allowed-ips 10.9.0.2/32 endpoint 192.0.2.2:5002
	/bin/ip addr add 10.9.0.1/24 dev wg0 && /bin/ip link set wg0 up
	/bin/ip -n b addr add 10.9.0.2/24 dev wg0 && /bin/ip -n b link set wg0 up
	ping -c 1 -W 20 10.9.0.2 || return
	for size in 0 57 300 1000 1392; do ping -c 3 -i 0.1 -s $size -W 20 10.9.0.2 || return; done
}

# b's is the first of the peers' secrets that are computed together.
new_key() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		WGTOOL_KIND=wgpp wgtool set wg0 peer "$(wg genkey | wg pubkey)" || return
	done
	wg genkey >/tmp/c
	WGTOOL_KIND=wgpp wgtool set wg0 private-key /tmp/c || return
	! ping -c 1 -W 2 10.9.0.2 || return
	/bin/ip netns exec b wg set wg0 peer "$(wg pubkey </tmp/a)" remove peer "$(wg pubkey </tmp/c)" \
		allowed-ips 10.9.0.1/32 endpoint 192.0.2.1:5001
	ping -c 1 -W 20 10.9.0.2
}

# What the kernel has to say of the emulated processor while it boots is no concern of ours.
dmesg -c >/dev/null
check "the processor has AVX-512" has_avx512
check "unit tests of the level avx512, and of X25519 in batches" tests core_test
export MSAN_OPTIONS=poison_in_malloc=0:exitcode=99
check "a leak by branch, on purpose, is found" ends_with 99 probe branch
check "a leak by index, on purpose, is found" ends_with 99 probe index
check "no branch and no address depends on a secret" probe avx512/portable
for suffix in '' -clang; do
	case $suffix in '') by="g++" ;; *) by="clang++" ;; esac
	check "$by: vectors and libraries of others agree with it" tests reference_test$suffix
	check "$by: a key left on the stack, on purpose, is found" ends_with 3 residue$suffix plant
	check "$by: no secret stays on the stack" residue$suffix avx512/portable
	check "$by: a trace finds a leak by branch, on purpose" \
		ends_with 3 trace$suffix branch /trace$suffix.asm
	check "$by: a trace finds a leak by index, on purpose" \
		ends_with 3 trace$suffix index /trace$suffix.asm
	check "$by: no other way and no other address with another secret" \
		trace$suffix avx512/portable /trace$suffix.asm
done
check "the module takes avx512, and its self-test passes in the kernel" loads
check "packets get through to the in-tree module and back" tunnel
check "with another key of a device of eleven peers, too" new_key
dmesg | grep -E 'WARNING|BUG|Oops|general protection' | sed 's/^/RESULT # /'
echo "RESULT end"
# A halted processor sends nothing any more, and the last lines are on their way: the machine is
# ended from outside.
while true; do sleep 60; done
GUEST
chmod +x "$root/init"

(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/cd/initrd"
cp "$(scripts/source-kernel.sh avx512 --print linux)" "$work/cd/linux"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/cd/"
# Bochs lays out what XSAVEC (321), XSAVES and PKU (515) save otherwise than kernels and programs
# expect, and has the flags of ADX (307) wrong.
cat >"$work/cd/isolinux.cfg" <<'BOOT'
default linux
prompt 0
label linux
  kernel linux
  append initrd=initrd console=ttyS0 panic=-1 noxsaves clearcpuid=321,307,515 tsc=reliable
BOOT
xorriso -as mkisofs -quiet -o "$work/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot \
	-boot-load-size 4 -boot-info-table "$work/cd" >>"$log" 2>&1
cat >"$work/bochsrc" <<CONFIG
cpu: model=corei7_icelake_u, count=1, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=768, host=768
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/cd.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/console
display_library: term
clock: sync=none
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
CONFIG

# ---- the run. Bochs draws its screen on a terminal that it makes itself; when nobody reads what is
# drawn there, it waits as soon as the terminal is full. Its debugger is told to continue.
read_screen() {
	local emulator='' index=''
	while [[ -z $index ]] && kill -0 "$bochs" 2>/dev/null; do
		sleep 0.2
		emulator=$(pgrep -f "bochs-bin.* -f $work/bochsrc" | head -n 1) || continue
		index=$(sed -n 's/^tty-index:[[:space:]]*//p' "/proc/$emulator"/fdinfo/* 2>/dev/null | head -n 1)
	done
	# As it is, or else what is drawn would come back as if it were typed.
	stty -F "/dev/pts/$index" raw -echo && exec cat "/dev/pts/$index"
}
echo continue >"$work/commands"
TERM=xterm timeout -k 5 "$limit" bochs -q -rc "$work/commands" -f "$work/bochsrc" \
	>/dev/null 2>&1 </dev/null &
bochs=$!
read_screen >/dev/null 2>&1 </dev/null &
SECONDS=0
while kill -0 $bochs 2>/dev/null; do
	! grep -q '^RESULT end' "$work/console" 2>/dev/null || break
	sleep 2
done
pkill -KILL -f "bochs.* -f $work/bochsrc" || true
wait $bochs 2>/dev/null || true
cp "$work/console" "$dir/console.log" 2>/dev/null || true
cp "$work/bochs.log" "$dir/bochs.log" 2>/dev/null || true
tr -d '\r' <"$dir/console.log" | sed -n 's/^RESULT //p' >"$dir/results"
grep -v '^end$' "$dir/results" || true
passed=$(grep -c '^ok' "$dir/results" || true)
failed=$(grep -c '^not ok' "$dir/results" || true)
if ! grep -qx end "$dir/results"; then
	echo "not ok - the machine comes to its end within $limit s (console: $dir/console.log)"
	failed=$((failed + 1))
fi
if grep -q '^#.*\(WARNING\|BUG\|Oops\)' "$dir/results"; then
	echo "not ok - the kernel has nothing to complain about"
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 && $passed -gt 0 ]]
