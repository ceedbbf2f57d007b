#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the kernel selftests, as root, in a machine that may be thrown away:
#
#   run.sh [-v] [-t SECONDS] [TEST...]
#
# TEST is ping, test-ping or test-ping.sh, or soak; without one, all but soak run. The output is
# nested KTAP, and the last line is "N passed, N failed, N skipped". A test also fails
# when the kernel logged a warning or was tainted while it ran, or when it took longer
# than SECONDS (default 300; a test's own line "# Time limit: N s" goes before). On a kernel
# with kmemleak the last result is that nothing leaked. KIND, WGPP_MODULE and WGTOOL are
# explained in common.sh. The status is 0 when nothing failed.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
limit_s=300
verbose=0
num_passed=0
num_failed=0
num_skipped=0

# Out-of-tree and unsigned modules are what a module under test is.
taint_allowed=$(((1 << 12) | (1 << 13)))

usage() {
	sed -n '5,14s/^# \{0,1\}//p' "$0"
	exit 2
}

while getopts vt:h option; do
	case $option in
	v) verbose=1 ;;
	t) limit_s=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))

die() {
	echo "Bail out! $*"
	echo "$num_passed passed, $((num_failed + 1)) failed, $num_skipped skipped"
	exit 1
}

[[ $(id -u) == 0 ]] || die "run.sh needs root"

tests=()
if [[ $# == 0 ]]; then
	tests=("$here"/test-*.sh)
else
	for name in "$@"; do
		name=${name##*/}
		name=${name#test-}
		name=$here/test-${name%.sh}.sh
		# Not among the tests that run by default: it takes as long as one wants.
		[[ $name != */test-soak.sh ]] || name=$here/soak.sh
		[[ -f $name ]] || die "there is no $name"
		tests+=("$name")
	done
fi

# module ACTION: module_load, module_unload or module_loaded of common.sh, in a
# shell of its own, because common.sh takes over the traps of the shell that reads it.
module() {
	bash -c '. "$1/common.sh"; ktap_finished=1; "$2"' run.sh "$here" "$1"
}

taint() {
	cat /proc/sys/kernel/tainted
}

# log_faults MARKER: lines of the kernel log after MARKER that no sound kernel writes.
log_faults() {
	dmesg | awk -v mark="$1" '
		{ line[NR] = $0 }
		index($0, mark) { start = NR }
		END { for (i = start + 1; i <= NR; i++) print line[i] }' >"$work/log"
	"$here/scan-log.sh" "$work/log" 30 || true
}

# watched NAME COMMAND...: runs the command between two looks at the kernel log. Its
# output is shown, indented, while it runs, and kept in $work/out. Sets status and faults.
watched() {
	local name=$1 marker taint_before taint_new
	shift
	marker="selftest-run-$$-$name"
	taint_before=$(taint)
	echo "<6>$marker" >/dev/kmsg
	set +e
	"$@" 2>&1 </dev/null | tee "$work/out" | sed -u 's/^/  /'
	status=${PIPESTATUS[0]}
	set -e
	faults=$(log_faults "$marker")
	taint_new=$(($(taint) & ~taint_before & ~taint_allowed))
	if [[ $taint_new != 0 ]]; then
		faults+="${faults:+$'\n'}kernel newly tainted: $taint_new"
	fi
}

# count PATTERN: result lines of the last test that match.
count() {
	grep -Ec "$1" "$work/out" || true
}

work=$(mktemp -d -p /tmp --suffix=.wgst-run)
trap 'rm -rf "$work"' EXIT

kmemleak=/sys/kernel/debug/kmemleak
has_kmemleak=0
# Off by a boot argument it exists and refuses to be written.
if [[ -e $kmemleak ]] && echo scan >"$kmemleak"; then
	has_kmemleak=1
	# What the machine left behind before is not ours.
	echo clear >"$kmemleak"
fi

echo "KTAP version 1"
echo "1..$((${#tests[@]} + 2 + has_kmemleak))"
echo "# kernel $(uname -r), $(nproc) CPUs, module ${WGPP_MODULE:-in-tree}," \
	"kind ${KIND:-wireguard}, tool ${WGTOOL:-wg}"

number=0
# result NAME REASON: REASON is empty when it passed.
result() {
	number=$((number + 1))
	if [[ -z $2 ]]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1: $2"
	fi
}

# judge_faults: prints the faults, and adds to reason.
judge_faults() {
	[[ -n $faults ]] || return 0
	while IFS= read -r line; do echo "  # kernel: $line"; done <<<"$faults"
	reason+="${reason:+, }kernel log"
	num_failed=$((num_failed + 1))
}

watched load module module_load
reason=
[[ $status == 0 ]] || {
	dmesg | tail -5 | sed 's/^/  # kernel: /'
	result "load the module" "status $status"
	die "the module under test does not load"
}
judge_faults
result "load the module" "$reason"

for test in "${tests[@]}"; do
	name=$(basename "$test" .sh)
	echo "  # Subtest: $name"
	start=$SECONDS
	# -k: a test that hangs in its cleanup is ended as well.
	own_limit_s=$(sed -nE 's/^# Time limit: ([0-9]+) s$/\1/p' "$test")
	watched "$name" env VERBOSE="$verbose" timeout -k 20 "${own_limit_s:-$limit_s}" bash "$test"
	reason=
	passed=$(count '^ok [0-9]+ ')
	failed=$(count '^not ok [0-9]+ ')
	skipped=$(count '^ok [0-9]+ .* # SKIP')
	num_passed=$((num_passed + passed - skipped))
	num_failed=$((num_failed + failed))
	num_skipped=$((num_skipped + skipped))
	if [[ $status == 124 || $status == 137 ]]; then
		reason="took longer than ${own_limit_s:-$limit_s} s"
	elif [[ $status != 0 && $failed == 0 ]]; then
		reason="ended with status $status"
	fi
	# One more failure than its own lines show.
	[[ -z $reason ]] || num_failed=$((num_failed + 1))
	[[ -n $reason || $failed == 0 ]] || reason="$failed failed"
	judge_faults
	result "$name ($((SECONDS - start)) s)" "$reason"
done

watched unload module module_unload
reason=
if [[ $status != 0 ]]; then
	reason="status $status"
	num_failed=$((num_failed + 1))
fi
judge_faults
result "unload the module" "$reason"
[[ -n $reason ]] || num_passed=$((num_passed + 1))
num_passed=$((num_passed + 1)) # the load

# Once the module is gone, whatever it forgot has nothing left that points to it. An object
# counts when it is older than 5 s and two scans agree.
leaks() {
	sleep 6
	echo scan >"$kmemleak"
	sleep 1
	echo scan >"$kmemleak"
	# The kernel forgets the name of a slab cache that it could not register. It fails to only
	# where the program faults makes it fail.
	awk '
		function show() {
			if (object !~ /comm "faults"/ || object !~ /sysfs_slab_add/)
				printf "%s", object
			object = ""
		}
		/^unreferenced/ { show() }
		{ object = object $0 "\n" }
		END { show() }' "$kmemleak"
}

if [[ $has_kmemleak == 1 ]]; then
	leaked=$(leaks)
	if [[ -z $leaked ]]; then
		num_passed=$((num_passed + 1))
		result "nothing leaked, says kmemleak" ""
	else
		head -n 200 <<<"$leaked" | sed 's/^/  # kmemleak: /'
		num_failed=$((num_failed + 1))
		result "nothing leaked, says kmemleak" "$(grep -c '^unreferenced' <<<"$leaked") objects"
	fi
fi
echo "# Totals: pass:$num_passed fail:$num_failed skip:$num_skipped"
echo "$num_passed passed, $num_failed failed, $num_skipped skipped"
[[ $num_failed == 0 ]]
