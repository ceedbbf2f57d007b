#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the kernel selftests in virtual machines and then reads their whole kernel logs for
# what a sound kernel never says.
#
#	scripts/kselftest.sh [--quick | --debug] [TEST...]
#
# Without a TEST (a name as selftests/run.sh takes it) all of them run, and with --quick all but
# those with a line "# Long run" near their top: emulated, each takes more than a minute.
# They run in two machines at once with Debian's stock kernel. With --debug it is the debug kernel
# (scripts/uml.sh), one machine more than there are processors, as all wait at times, and the
# fuzzers in full length. The tests are shared out so that the machines end together: a line
# "# Takes N s", or "# Takes N s, M s with --debug", near the top of one says how long it runs,
# else it is 50 s.
#
# WGPP_MODULE (default: the build of scripts/build-module.sh; in-tree for the kernel's own) and
# WGTOOL (default build/tool/wgtool) choose what is tested. The last line is
# "N passed, N failed, N skipped".
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
debug=no quick=no
case ${1-} in
--debug) debug=yes; shift ;;
--quick) quick=yes; shift ;;
-h | --help) sed -n '4,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac

tool=${WGTOOL:-$top/build/tool/wgtool}
if [[ $debug == yes ]]; then
	module=${WGPP_MODULE:-$top/build/module-debug/wgpp.ko}
	limit=${VM_LIMIT:-2400}
	num_machines=$(($(nproc) + 1))
	takes='1,20s/^# Takes ([0-9]+ s, )?([0-9]+) s( with --debug)?$/\2/p'
	export FUZZ_PACKETS=${FUZZ_PACKETS:-1000000} FUZZ_REQUESTS=${FUZZ_REQUESTS:-200000}
	machine=("$top/scripts/uml.sh")
	name=debug
else
	kver=$("$top/scripts/kernel.sh" --print kver)
	module=${WGPP_MODULE:-$top/build/module-$kver/wgpp.ko}
	limit=${VM_LIMIT:-1800}
	num_machines=2
	takes='1,20s/^# Takes ([0-9]+) s(, .*)?$/\1/p'
	machine=("$top/scripts/vm.sh" -k "$kver")
	name=kselftest
fi
for variable in FUZZ_PACKETS FUZZ_REQUESTS WGPP_SEED; do
	[[ -z ${!variable-} ]] || machine+=(-e "$variable=${!variable}")
done

for file in "$module" "$tool"; do
	[[ $file != */* || -e $file ]] || {
		echo "kselftest: $file is missing; run: make vm-module selftest-tools" >&2
		exit 1
	}
done

# Which tests go into which machine.
declare -a tests=() groups=() loads=()
if [[ $# -gt 0 ]]; then
	tests=("$@")
else
	for file in "$top"/selftests/test-*.sh; do tests+=("$(basename "$file" .sh)"); done
fi

# file_of TEST
file_of() {
	local name=${1##*/}
	name=${name#test-}
	echo "$top/selftests/test-${name%.sh}.sh"
}

# longest_first TEST...: a line "SECONDS TEST" for each
longest_first() {
	local test seconds
	for test; do
		seconds=$(sed -nE "$takes" "$(file_of "$test")" 2>/dev/null) || true
		echo "${seconds:-50} $test"
	done | sort -s -k1,1rn
}

# share_out: each test to the machine that has least to do yet.
share_out() {
	local seconds test index least
	while read -r seconds test; do
		least=0
		for ((index = 1; index < num_machines; index++)); do
			((${loads[index]:-0} >= ${loads[least]:-0})) || least=$index
		done
		loads[least]=$((${loads[least]:-0} + seconds))
		groups[least]+="${groups[least]:+ }$test"
	done < <(longest_first "$@")
}

declare -a left_out=() sharing=()
for test in "${tests[@]}"; do
	file=$(file_of "$test")
	if [[ $quick == yes ]] && grep -qsx '# Long run' "$file"; then
		left_out+=("${test#test-}")
		continue
	fi
	sharing+=("$test")
done
share_out "${sharing[@]}"

[[ ${#left_out[@]} == 0 ]] ||
	echo "# left to make kselftest and make check-debug: ${left_out[*]}"

logs=$top/build/vm
mkdir -p "$logs"
work=$(mktemp -d)
trap 'rm -rf "$work"; kill $(jobs -p) 2>/dev/null || true' EXIT

run() {
	local index=$1 status=0
	shift
	rm -f "$logs/$name-$index.dmesg"
	"${machine[@]}" -t "$limit" --dmesg "$logs/$name-$index.dmesg" -e "WGPP_MODULE=$module" \
		-e "WGTOOL=$tool" -- "$top/selftests/run.sh" "$@" >"$work/out-$index" 2>&1 || status=$?
	echo "$status" >"$work/status-$index"
}

for index in "${!groups[@]}"; do
	# shellcheck disable=SC2086 # a list of names
	run "$index" ${groups[index]} &
	pids[index]=$!
done

passed=0 failed=0 skipped=0
fail() {
	failed=$((failed + 1))
	echo "not ok - $*"
}

for index in "${!groups[@]}"; do
	out=$work/out-$index log=$logs/$name-$index.dmesg
	[[ ${#groups[@]} == 1 ]] || echo "# machine $((index + 1)) of ${#groups[@]}: ${groups[index]}"
	# The first machine's output is shown while it runs, the others' when they have ended.
	touch "$out"
	tail -n +1 -f --pid="${pids[index]}" -s 0.2 "$out"
	status=$(cat "$work/status-$index" 2>/dev/null || echo 255)
	summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$out" | tail -n 1 || true)
	read -r p _ f _ s _ <<<"${summary:-0 passed, 0 failed, 0 skipped}"
	if [[ -z $summary ]]; then
		# The guest died on the way: what it had reported until then still counts.
		p=$(grep -cE '^ *ok [0-9]+ ' "$out" || true)
		f=$(grep -cE '^ *not ok [0-9]+ ' "$out" || true)
		fail "the selftests of this machine reach their end (status $status)"
	elif [[ $status != 0 && $f == 0 ]]; then
		fail "the selftests of this machine end with status 0, not $status"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))

	# From the end of the boot on; what a kernel says of its machine before is not ours.
	sed '1,/wgpp-vm: running the command/d' "$log" >"$work/log" 2>/dev/null || : >"$work/log"
	bad=$("$top/selftests/scan-log.sh" "$work/log") || true
	if [[ ! -s $work/log ]]; then
		fail "the kernel log was kept ($log is empty)"
	elif [[ -n $bad ]]; then
		fail "the kernel log of the whole run is clean ($log):"
		while IFS= read -r line; do echo "  # $line"; done <<<"$bad"
	else
		passed=$((passed + 1))
		echo "ok - the kernel log of the whole run is clean"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed == 0 ]]
