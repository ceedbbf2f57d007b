#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the fuzz targets and runs them, two at a time, each from its seeds and from what earlier
# runs have found (build/fuzz/corpus/TARGET).
#
#	scripts/fuzz.sh [--smoke] [TARGET...]     default: all; --list names them
#
# FUZZ_SECONDS is how long each target runs, 60 by default. --smoke runs the seeds and then
# 20000 inputs or 4 seconds, whichever ends first, and keeps nothing. A target prints one line:
# inputs run, inputs per second, edges covered, units new in the corpus, crashes. What crashed it
# is in build/fuzz/crash/TARGET, with the command to repeat it printed. The last line is "N passed,
# N failed, N skipped"; the status is 0 when nothing failed.
set -euo pipefail

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
build=build/fuzz
all_targets=(messages primitives inner trie replay timers limits cookie config keys endpoint names netlink quick set uapi)
seconds=${FUZZ_SECONDS:-60}
smoke=no
declare -a targets=()

die() {
	echo "fuzz: $*" >&2
	exit 2
}

for word in "$@"; do
	case $word in
	-h | --help) sed -n '4,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
	--list) echo "${all_targets[*]}"; exit 0 ;;
	--smoke) smoke=yes ;;
	-*) die "unknown option '$word' (try --help)" ;;
	*)
		[[ " ${all_targets[*]} " == *" $word "* ]] ||
			die "no target '$word'; the targets are: ${all_targets[*]}"
		targets+=("$word")
		;;
	esac
done
[[ ${#targets[@]} -gt 0 ]] || targets=("${all_targets[@]}")
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "FUZZ_SECONDS is no number of seconds: '$seconds'"
command -v clang++ >/dev/null || die "no clang++: run: scripts/setup.sh check"

cmake -S . -B $build -DCMAKE_CXX_COMPILER=clang++ -DWGPP_FUZZ=ON -DWGPP_TESTS=OFF \
	-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE='-O1 -g1'
cmake --build $build -j "$(nproc)"
rm -rf $build/seeds
$build/fuzz/fuzz_seeds $build/seeds

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1

# final_stat LOG NAME: a number that libFuzzer prints when it ends.
final_stat() {
	sed -n "s/^stat::$2: *//p" "$1" | tail -n 1
}

# run_target NAME: writes NAME.line, and NAME.failed when it found something.
run_target() {
	local name=$1 log=$build/$1.log corpus=$build/corpus/$1 crash=$build/crash/$1 status=0
	local -a limits=(-max_total_time="$seconds")
	if [[ $smoke == yes ]]; then
		corpus=$work/$name.corpus
		limits=(-max_total_time=4 -runs=20000)
	fi
	mkdir -p "$corpus" "$crash"
	local -a dict=()
	[[ ! -e fuzz/dict/$name.dict ]] || dict=(-dict="fuzz/dict/$name.dict")
	# A leak is looked for at the end, not after each input, which would be slow.
	$build/fuzz/"$name" "${limits[@]}" "${dict[@]}" -max_len=1024 -timeout=20 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$crash/" "$corpus" "$build/seeds/$name" \
		>"$log" 2>&1 </dev/null || status=$?
	local crashes=0 runs rate new cov file
	runs=$(final_stat "$log" number_of_executed_units) rate=$(final_stat "$log" average_exec_per_sec)
	new=$(final_stat "$log" new_units_added)
	cov=$(sed -n 's/^#[0-9].* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	[[ $status == 0 ]] || crashes=1
	printf '%-10s %10s %8s %6s %6s %8s\n' "$name" "${runs:-0}" "${rate:-0}" "${cov:-0}" \
		"${new:-0}" "$crashes" >"$work/$name.line"
	[[ $status != 0 ]] || return 0
	{
		echo "not ok - fuzz target $name ended with status $status ($log)"
		grep -aE 'does not hold|ERROR: |runtime error|SUMMARY' "$log" | head -n 5 | sed 's/^/#   /'
		file=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
		[[ -z $file ]] || echo "#   repeat it with: $build/fuzz/$name $file"
	} >"$work/$name.failed"
}

printf '%-10s %10s %8s %6s %6s %8s\n' target inputs per_s edges new crashes
declare -a waiting=("${targets[@]}") running=()
shown=0
while [[ ${#waiting[@]} -gt 0 || ${#running[@]} -gt 0 ]]; do
	while [[ ${#running[@]} -lt 2 && ${#waiting[@]} -gt 0 ]]; do
		run_target "${waiting[0]}" &
		running+=("$!")
		waiting=("${waiting[@]:1}")
	done
	wait -n "${running[@]}" || true
	mapfile -t running < <(jobs -rp)
	# In the order in which they end.
	mapfile -t lines < <(find "$work" -maxdepth 1 -name '*.line' -printf '%T@ %p\n' | sort | cut -d ' ' -f 2)
	for ((; shown < ${#lines[@]}; ++shown)); do cat "${lines[shown]}"; done
done

failed=$(find "$work" -maxdepth 1 -name '*.failed' | wc -l)
cat "$work"/*.line | awk '{ runs += $2; new += $5; crashes += $6 } END {
	printf "%-10s %10d %8s %6s %6d %8d\n", "total", runs, "", "", new, crashes }'
[[ $failed == 0 ]] || cat "$work"/*.failed
echo "$((${#targets[@]} - failed)) passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
