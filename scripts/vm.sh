#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command as root in a throwaway virtual machine that boots Debian's stock kernel.
#
#	scripts/vm.sh [options] -- COMMAND [ARG...]
#	scripts/vm.sh [options] --shell
#
# The guest sees this machine's root file system, read-only under a memory overlay: the same
# programs, the same paths, this directory as its working directory, and every write is gone
# when it ends. Standard output and error arrive live, the exit status is the command's.
#
#	-k KVER        kernel to boot (default: what scripts/kernel.sh chooses)
#	-s SMP         processors (default 2)
#	-m MEM         memory (default 2G)
#	-t SECONDS     limit for the whole run (default 600; none with --shell)
#	-e NAME[=VAL]  set an environment variable of the command
#	-a ARGS        further kernel arguments
#	-i             count instructions: emulated, one processor at a time, and the clock runs
#	               with the instructions, so that a busy host does not distort timings
#	--shell        an interactive shell on this terminal instead of a command
#	--gdb          wait for no one, but let gdb attach to :1234 (addresses not randomised)
#	--dmesg FILE   keep the kernel log there (default build/vm/dmesg)
#	--net          a network card (virtio) behind which this machine's loopback is 10.0.2.2
#	--qmp SOCKET   QEMU's control socket, for who wants to look at the machine's memory
#	--accel NAME   kvm or tcg instead of finding out which one works
#
# Exit status: the command's own; 124 when the limit was hit, 125 when the guest ended
# without one (a panic, or QEMU could not start). Either way one line says what happened.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")
top=$(dirname "$(dirname "$self")")

die() {
	echo "vm.sh: $*" >&2
	exit 125
}

kver='' smp=2 mem=2G limit='' append='' icount=no shell=no gdb=no dmesg='' accel='' net=no qmp=''
declare -a guest_env=()
while [[ $# -gt 0 ]]; do
	case $1 in
	-k | -s | -m | -t | -e | -a | --dmesg | --accel | --qmp)
		[[ $# -ge 2 ]] || die "$1 needs a value (try --help)"
		case $1 in
		-k) kver=$2 ;;
		-s) smp=$2 ;;
		-m) mem=$2 ;;
		-t) limit=$2 ;;
		-e) if [[ $2 == *=* ]]; then guest_env+=("$2"); else guest_env+=("$2=${!2-}"); fi ;;
		-a) append=$2 ;;
		--dmesg) dmesg=$2 ;;
		--accel) accel=$2 ;;
		--qmp) qmp=$2 ;;
		esac
		shift 2
		;;
	-i) icount=yes; shift ;;
	--net) net=yes; shift ;;
	--shell) shell=yes; shift ;;
	--gdb) gdb=yes; shift ;;
	-h | --help) sed -n '4,31s/^# \{0,1\}//p' "$self"; exit 0 ;;
	--) shift; break ;;
	-*) die "unknown option '$1' (try --help)" ;;
	*) break ;;
	esac
done
[[ $shell == yes || $# -gt 0 ]] || die "no command given (try --help)"
[[ -n $limit ]] || { [[ $shell == yes ]] && limit=0 || limit=600; }
[[ $limit =~ ^[0-9]+$ ]] || die "-t wants whole seconds, not '$limit'"
[[ $smp =~ ^[1-9][0-9]*$ ]] || die "-s wants a number of processors, not '$smp'"

for tool in qemu-system-x86_64 cpio modprobe; do
	command -v "$tool" >/dev/null || die "$tool is missing; run: scripts/setup.sh vm"
done
[[ -n $kver ]] || kver=$("$top/scripts/kernel.sh" --print kver) || exit 125
kernel_root=$("$top/scripts/kernel.sh" -k "$kver") || exit 125
kernel=$("$top/scripts/kernel.sh" -k "$kver" --print vmlinux)
busybox=$("$top/scripts/kernel.sh" -k "$kver" --print busybox)

state=$top/build/vm
mkdir -p "$state"
[[ -n $dmesg ]] || dmesg=$state/dmesg

work=$(mktemp -d --suffix=.wgpp-vm)
qemu_pid=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[[ -z $qemu_pid ]] || kill "$qemu_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- KVM or emulation? -------------------------------------------------------------------
# /dev/kvm may exist and yet be unable to run this kernel (nested, restricted, wrong processor),
# so a busybox that only powers off is booted. The answer holds until the machine reboots.
probe_kvm() {
	local cache key answer=tcg
	[[ -r /dev/kvm && -w /dev/kvm ]] || { echo tcg; return; }
	key=$(cat /proc/sys/kernel/random/boot_id)
	cache=$state/kvm-$kver
	if [[ -f $cache && $(head -n 1 "$cache") == "$key" ]]; then
		tail -n 1 "$cache"
		return
	fi
	mkdir -p "$work/probe/bin" "$work/probe/proc"
	cp "$busybox" "$work/probe/bin/busybox"
	printf '#!/bin/busybox sh\necho wgpp-kvm-works\n/bin/busybox poweroff -f\n' >"$work/probe/init"
	chmod +x "$work/probe/init"
	(cd "$work/probe" && find . | cpio -o -H newc --quiet) >"$work/probe.cpio"
	timeout -k 1 10 qemu-system-x86_64 -accel kvm -cpu host -m 512M -kernel "$kernel" \
		-initrd "$work/probe.cpio" -append "console=ttyS0 quiet panic=-1" -no-reboot \
		-nodefaults -no-user-config -display none -serial stdio \
		</dev/null >"$work/probe.log" 2>&1 || true
	if grep -q wgpp-kvm-works "$work/probe.log"; then answer=kvm; fi
	printf '%s\n%s\n' "$key" "$answer" >"$cache"
	echo "vm: /dev/kvm $([[ $answer == kvm ]] && echo works || echo 'does not run this kernel; emulating')" >&2
	echo "$answer"
}
if [[ $icount == yes ]]; then
	[[ -z $accel || $accel == tcg ]] || die "-i works with emulation only, not with --accel $accel"
	accel=tcg
fi
[[ -n $accel ]] || accel=$(probe_kvm)

# --- the initial file system -------------------------------------------------------------
initrd=$work/initrd
mkdir -p "$initrd"/{bin,proc,sys,dev,new,mod,ro,rw,vm}
cp "$busybox" "$initrd/bin/busybox"

# Only what it takes to reach the host's files and to talk back, in the order of dependency.
for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
	modprobe -S "$kver" -d "$kernel_root" -D "$module" 2>/dev/null ||
		die "kernel $kver lacks the module $module; remove $kernel_root and run again"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/modules"
while read -r file; do
	name=$(basename "$file")
	case $file in
	*.ko) cp "$file" "$initrd/mod/" ;;
	*.ko.xz) xz -dc "$file" >"$initrd/mod/${name%.xz}" ;;
	*.ko.zst) zstd -qdc "$file" >"$initrd/mod/${name%.zst}" ;;
	*) die "cannot unpack the module $file" ;;
	esac
	echo "${name%.ko*}.ko" >>"$initrd/vm/modules"
done <"$work/modules"

cwd=$PWD
{
	echo "kver=$(printf %q "$kver")"
	echo "modules=$(printf %q "$kernel_root/lib/modules/$kver")"
	echo "shell=$shell"
} >"$initrd/vm/config"
{
	echo '#!/bin/bash'
	echo "cd $(printf %q "$cwd") || exit 125"
	for setting in "${guest_env[@]}"; do
		printf 'export %q=%q\n' "${setting%%=*}" "${setting#*=}"
	done
	if [[ $shell == yes ]]; then
		read -r rows columns < <(stty size 2>/dev/null || echo 24 80)
		echo "stty rows $rows columns $columns 2>/dev/null"
		printf 'export TERM=%q\n' "${TERM:-dumb}"
		echo "export PS1='vm:\\w# '"
		echo 'exec bash --norc -i'
	else
		printf 'exec'
		printf ' %q' "$@"
		echo
	fi
} >"$initrd/vm/command"

cat >"$initrd/init" <<'GUEST'
#!/bin/busybox sh
# First process of the guest, in two lives: it assembles the root file system, and after
# switch_root runs the command. It stays a static busybox so that nothing here has to come
# through the 9p mount.
export PATH=/bin
if [ "$1" != run ]; then
	/bin/busybox mkdir -p /bin
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	while read -r module; do insmod "/mod/$module"; done </vm/modules
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose host /ro
	mount -t tmpfs -o size=75% tmpfs /rw
	mkdir /rw/upper /rw/work
	mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work overlay /new
	mount -t tmpfs -o mode=755 tmpfs /new/run
	mkdir -p /new/run/vm/bin /new/run/lock /new/run/user
	cp /bin/busybox /new/run/vm/bin/busybox
	cp /init /vm/command /vm/config /new/run/vm/
	for dir in proc sys dev; do mount --move "/$dir" "/new/$dir"; done
	exec switch_root /new /run/vm/bin/busybox sh /run/vm/init run
fi

bb=/run/vm/bin/busybox
. /run/vm/config
$bb mkdir -p /dev/pts /dev/shm "/lib/modules/$kver"
$bb mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
$bb mount -t tmpfs -o mode=1777 tmpfs /dev/shm
$bb mount -t debugfs debugfs /sys/kernel/debug
$bb mount -t tracefs tracefs /sys/kernel/tracing
$bb mount -t cgroup2 cgroup2 /sys/fs/cgroup
$bb mount --bind "$modules" "/lib/modules/$kver"
$bb ln -sfn /proc/self/fd /dev/fd
for n in 0:stdin 1:stdout 2:stderr; do $bb ln -sfn "/proc/self/fd/${n%:*}" "/dev/${n#*:}"; done
$bb hostname vm
$bb ip link set lo up
# Who runs QEMU as an ordinary user cannot read root's home through the mount.
home=/root
$bb ls /root >/dev/null 2>&1 || { home=/run/vm/home; $bb mkdir -p $home; }

port() {
	for p in /sys/class/virtio-ports/*; do
		[ "$($bb cat "$p/name")" = "$1" ] && echo "/dev/${p##*/}" && return
	done
}

finish() {
	$bb sync
	echo "wgpp-vm: the command ended" >/dev/kmsg
	echo "$1" >"$(port status)"
	$bb poweroff -f
	$bb sleep 60
}

set -- $bb env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=$home USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb \
	VM_BUSYBOX=$bb /bin/bash /run/vm/command
echo "wgpp-vm: running the command" >/dev/kmsg
if [ "$shell" = yes ]; then
	$bb setsid -c "$@" </dev/hvc0 >/dev/hvc0 2>&1
	finish $?
fi

# A port can be opened only once, so the command gets pipes (it may reopen /dev/stderr) and
# two relays carry them to the ports.
$bb mkfifo /run/vm/out /run/vm/err
$bb cat /run/vm/out >"$(port out)" &
relay_out=$!
$bb cat /run/vm/err >"$(port err)" &
relay_err=$!
"$@" </dev/null >/run/vm/out 2>/run/vm/err
status=$?

# Processes left in the background would hold the pipes open: end them, so that the relays
# drain what was written and see the end. Kernel threads have no exe link.
for proc in /proc/[0-9]*; do
	pid=${proc#/proc/}
	case $pid in 1 | $relay_out | $relay_err) continue ;; esac
	[ -e "$proc/exe" ] && kill -9 "$pid" 2>/dev/null
done
($bb sleep 10; kill $relay_out $relay_err) 2>/dev/null &
wait $relay_out $relay_err
finish $status
GUEST
chmod +x "$initrd/init"
(cd "$initrd" && find . | cpio -o -H newc --quiet) >"$work/initrd.cpio"

# --- boot --------------------------------------------------------------------------------
declare -a machine
case $accel in
kvm) machine=(-accel kvm -cpu host) ;;
tcg)
	if [[ $icount == yes ]]; then
		# 2^2 ns per instruction, near what emulation reaches. Idle time passes as it does
		# outside: skipping it (sleep=off) would also skip what the guest waits for its files,
		# minutes within each program start.
		machine=(-accel "tcg,thread=single" -icount "shift=2,sleep=on")
	else
		machine=(-accel "tcg,thread=multi")
	fi
	machine+=(-cpu max)
	;;
*) die "--accel knows kvm and tcg, not '$accel'" ;;
esac
# Mitigations stay as on real hardware: emulated, they cost nothing that could be measured
# (instructions counted with -i: 0.51 s of processor time for 60 processes with and without).
kernel_args="console=ttyS0 loglevel=7 panic=-1 random.trust_cpu=on printk.devkmsg=on net.ifnames=0"
kernel_args+=" tsc=reliable no_timer_check"
# Emulated processors share the host's with other work; a watchdog that fires for that reason
# would be taken for a bug of the module.
kernel_args+=" rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30"
if [[ $gdb == yes ]]; then
	machine+=(-gdb tcp:127.0.0.1:1234)
	kernel_args+=" nokaslr"
	echo "vm: gdb can attach: target remote localhost:1234" >&2
fi
declare -a ports=(-device virtio-serial-pci)
if [[ $shell == yes ]]; then
	ports+=(-chardev "stdio,id=term,signal=off" -device "virtconsole,chardev=term")
else
	mkfifo "$work/out" "$work/err"
	ports+=(-chardev "file,id=out,path=$work/out" -device "virtserialport,chardev=out,name=out,nr=1")
	ports+=(-chardev "file,id=err,path=$work/err" -device "virtserialport,chardev=err,name=err,nr=2")
fi
ports+=(-chardev "file,id=status,path=$work/status" -device "virtserialport,chardev=status,name=status,nr=3")

declare -a qemu=(qemu-system-x86_64 "${machine[@]}" -smp "$smp" -m "$mem" -kernel "$kernel"
	-initrd "$work/initrd.cpio" -append "$kernel_args $append"
	-nodefaults -no-user-config -no-reboot -display none
	-serial "file:$work/console" "${ports[@]}"
	-fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"
	-device "virtio-9p-pci,fsdev=host,mount_tag=host")

[[ $net == no ]] || qemu+=(-netdev "user,id=net" -device "virtio-net-pci,netdev=net,romfile=")
[[ -z $qmp ]] || qemu+=(-qmp "unix:$qmp,server=on,wait=off")

qemu_status=0
if [[ $shell == yes ]]; then
	timeout --foreground "$limit" "${qemu[@]}" 2>"$work/qemu.err" || qemu_status=$?
else
	# The second cat keeps QEMU from blocking when the reader of our output has gone away.
	{ cat || cat >/dev/null; } <"$work/out" 2>/dev/null &
	out_pid=$!
	{ cat >&2 || cat >/dev/null; } <"$work/err" &
	err_pid=$!
	timeout -k 5 "$limit" "${qemu[@]}" </dev/null >/dev/null 2>"$work/qemu.err" &
	qemu_pid=$!
	wait "$qemu_pid" || qemu_status=$?
	qemu_pid=''
	# Opening for both directions never blocks; closing again gives a reader that no writer
	# ever came to (QEMU failed early) its end of file.
	: <>"$work/out" <>"$work/err"
	wait "$out_pid" "$err_pid" || true
fi

mkdir -p "$(dirname "$dmesg")"
tr -d '\r' <"$work/console" >"$dmesg" 2>/dev/null || : >"$dmesg"

log_tail() {
	echo "vm: the kernel log's last lines ($dmesg):" >&2
	if grep -q 'wgpp-vm: running the command' "$dmesg"; then
		sed '1,/wgpp-vm: running the command/d; /wgpp-vm: the command ended/d' "$dmesg" | tail -n 60 >&2
	else
		tail -n 40 "$dmesg" >&2
	fi
}

if [[ -s $work/status ]]; then
	status=$(head -n 1 "$work/status")
	[[ $status == 0 || $shell == yes ]] || log_tail
	exit "$status"
fi
if [[ $qemu_status == 124 || $qemu_status == 137 ]]; then
	log_tail
	echo "vm: no end after $limit seconds; the virtual machine was stopped" >&2
	exit 124
fi
if grep -q 'Kernel panic' "$dmesg"; then
	log_tail
	echo "vm: the guest's kernel panicked: $(grep -m 1 -o 'Kernel panic.*' "$dmesg")" >&2
	exit 125
fi
log_tail
cat "$work/qemu.err" >&2
echo "vm: the virtual machine ended without a status (QEMU's status $qemu_status)" >&2
exit 125
