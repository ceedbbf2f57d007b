#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command as root in the debug kernel (scripts/source-kernel.sh), which is a process of
# this machine and finds what a stock kernel passes over.
#
#	scripts/uml.sh [options] -- COMMAND [ARG...]
#
# As in scripts/vm.sh the guest sees this machine's root file system, read-only under a memory
# overlay, with this directory as its working directory; every write is gone when it ends.
# Standard output and error arrive live, the exit status is the command's.
#
#	-m MEM         memory (default 2G)
#	-t SECONDS     limit for the whole run (default 600)
#	-e NAME[=VAL]  set an environment variable of the command
#	-a ARGS        further kernel arguments
#	--dmesg FILE   keep the kernel log there (default build/vm/uml.dmesg)
#
# Exit status: the command's own; 124 when the limit was hit, 125 when the guest ended
# without one (a panic, for example). Either way one line says what happened.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")
top=$(dirname "$(dirname "$self")")

die() {
	echo "uml.sh: $*" >&2
	exit 125
}

mem=2G limit=600 append='' dmesg=''
declare -a guest_env=()
while [[ $# -gt 0 ]]; do
	case $1 in
	-m | -t | -e | -a | --dmesg)
		[[ $# -ge 2 ]] || die "$1 needs a value (try --help)"
		case $1 in
		-m) mem=$2 ;;
		-t) limit=$2 ;;
		-e) if [[ $2 == *=* ]]; then guest_env+=("$2"); else guest_env+=("$2=${!2-}"); fi ;;
		-a) append=$2 ;;
		--dmesg) dmesg=$2 ;;
		esac
		shift 2
		;;
	-h | --help) sed -n '4,20s/^# \{0,1\}//p' "$self"; exit 0 ;;
	--) shift; break ;;
	-*) die "unknown option '$1' (try --help)" ;;
	*) break ;;
	esac
done
[[ $# -gt 0 ]] || die "no command given (try --help)"
[[ $limit =~ ^[0-9]+$ ]] || die "-t wants whole seconds, not '$limit'"

kernel=$("$top/scripts/source-kernel.sh" debug --print linux) || exit 125
release=$("$top/scripts/source-kernel.sh" debug --print release)
modules=$("$top/scripts/source-kernel.sh" debug --print modules)
busybox=$("$top/scripts/kernel.sh" --print busybox) || exit 125

mkdir -p "$top/build/vm"
[[ -n $dmesg ]] || dmesg=$top/build/vm/uml.dmesg

work=$(mktemp -d --suffix=.wgpp-uml)
uml_pid=''
# The kernel's own helper processes are in its session and end with it.
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[[ -z $uml_pid ]] || kill -9 -- "-$uml_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

{
	echo '#!/bin/bash'
	echo "cd $(printf %q "$PWD") || exit 125"
	for setting in "${guest_env[@]}"; do
		printf 'export %q=%q\n' "${setting%%=*}" "${setting#*=}"
	done
	printf 'exec'
	printf ' %q' "$@"
	echo
} >"$work/command"
{
	echo "work=$(printf %q "$work")"
	echo "release=$(printf %q "$release")"
	echo "modules=$(printf %q "$modules")"
} >"$work/config"
cp "$busybox" "$work/busybox"

# First process of the guest, in two lives: it puts a memory overlay over the host's files and
# starts again on top of that. The path of the folder of this run comes as an argument.
cat >"$work/init" <<'GUEST'
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [[ ${1-} != run ]]; then
	. "${0%/*}/config"
	mount -t proc proc /proc
	mount -t tmpfs -o size=75% tmpfs /mnt
	mkdir /mnt/upper /mnt/work /mnt/new
	mount -t overlay -o "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/new
	cd /mnt/new
	mount -t tmpfs -o mode=755 tmpfs run
	mkdir -p run/uml/old run/lock run/user
	# The folder of this run as it is outside, for what has to get out.
	mkdir run/uml/host
	mount -t hostfs -o "$work" hostfs run/uml/host
	pivot_root . run/uml/old
	exec chroot . /bin/bash /run/uml/host/init run
fi

. /run/uml/host/config
bb=/run/uml/host/busybox
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm "/lib/modules/$release"
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind "$modules" "/lib/modules/$release"
ln -sfn /proc/self/fd /dev/fd
for n in 0:stdin 1:stdout 2:stderr; do ln -sfn "/proc/self/fd/${n%:*}" "/dev/${n#*:}"; done
hostname vm
ip link set lo up
for tty in 1 2; do stty -F "/dev/tty$tty" raw -echo; done
# What this kernel says of itself while it boots is not what is tested.
echo "wgpp-vm: running the command" >/dev/kmsg
env -i PATH="$PATH" HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb \
	VM_BUSYBOX=$bb /bin/bash /run/uml/host/command </dev/null >/dev/tty1 2>/dev/tty2
status=$?
echo "wgpp-vm: the command ended" >/dev/kmsg
stty -F /dev/tty1 raw >/dev/null # waits for what is still being written
stty -F /dev/tty2 raw >/dev/null
dmesg >/run/uml/host/dmesg
echo "$status" >/run/uml/host/status
sync
$bb poweroff -f
GUEST
chmod +x "$work/init"

mkfifo "$work/out" "$work/err"
{ cat || cat >/dev/null; } <"$work/out" 2>/dev/null &
out_pid=$!
{ cat >&2 || cat >/dev/null; } <"$work/err" &
err_pid=$!
# Console 0 has the kernel's messages, 1 and 2 are the command's standard output and error.
# shellcheck disable=SC2086 # arguments are words
setsid timeout --foreground -k 5 "$limit" "$kernel" "mem=$mem" root=/dev/root rootfstype=hostfs \
	rootflags=/ ro "init=$work/init" console=tty0 kasan_multi_shot con=null con0=null,fd:5 con1=null,fd:6 con2=null,fd:7 \
	loglevel=7 panic=-1 printk.devkmsg=on $append \
	</dev/null >"$work/uml.err" 2>&1 5>"$work/console" 6>"$work/out" 7>"$work/err" &
uml_pid=$!
uml_status=0
wait "$uml_pid" || uml_status=$?
kill -9 -- "-$uml_pid" 2>/dev/null || true
uml_pid=''
wait "$out_pid" "$err_pid" || true

mkdir -p "$(dirname "$dmesg")"
if [[ -s $work/dmesg ]]; then cp "$work/dmesg" "$dmesg"; else tr -d '\r' <"$work/console" >"$dmesg"; fi

log_tail() {
	echo "uml: the kernel log's last lines ($dmesg):" >&2
	sed '1,/wgpp-vm: running the command/d; /wgpp-vm: the command ended/d' "$dmesg" | tail -n 60 >&2
}

if [[ -s $work/status ]]; then
	status=$(head -n 1 "$work/status")
	[[ $status == 0 ]] || log_tail
	exit "$status"
fi
tail -n 40 "$dmesg" >&2
if [[ $uml_status == 124 || $uml_status == 137 ]]; then
	echo "uml: no end after $limit seconds; the guest was stopped" >&2
	exit 124
fi
cat "$work/uml.err" >&2
echo "uml: the guest ended without a status (its process: $uml_status)" >&2
exit 125
