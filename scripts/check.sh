#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make check: every test there is, from a machine with nothing installed. Stages follow each
# other with their output on the screen and in build/check/STAGE.log. The last line is
# "N passed, N failed, N skipped"; the status is 0 when nothing failed.
#
#	scripts/check.sh [STAGE...]     default: all; see --list
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
logs=build/check
mkdir -p "$logs"

all_stages=(host-g++ host-clang++ static docs secrets fuzz parity module core memory kselftest)
stages=("$@")
case ${1-} in
'') stages=("${all_stages[@]}") ;;
--list) echo "${all_stages[*]}"; exit 0 ;;
esac

passed=0 failed=0 skipped=0
finished=no
declare -a failures=() skips=() table=()

end() {
	local status=$?
	# Interrupted or broken, the last line still has to say that it did not go well.
	if [[ $finished == no ]]; then
		failures+=("make check itself ended early (status $status)")
		failed=$((failed + 1))
	fi
	if [[ ${#table[@]} -gt 0 ]]; then
		printf '\n%-14s %7s %7s %8s %8s\n' stage passed failed skipped seconds
		printf '%s\n' "${table[@]}"
	fi
	[[ ${#skips[@]} == 0 ]] || printf 'skipped: %s\n' "${skips[@]}"
	[[ ${#failures[@]} == 0 ]] || printf 'FAILED: %s\n' "${failures[@]}"
	echo "$passed passed, $failed failed, $skipped skipped"
	[[ $failed == 0 ]] || exit 1
	exit 0
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# stage NAME COMMAND...: counts come from the last "N passed, N failed, N skipped" line, else
# from KTAP lines. A stage that yields no test, or ends badly without naming a failure, is
# itself a failure.
stage() {
	local name=$1 log=$logs/$1.log status=0 summary p=0 f=0 s=0 since=$SECONDS
	shift
	printf '\n== %4d s  %s\n' "$SECONDS" "$name"
	"$@" </dev/null 2>&1 | tee "$log" || status=$?
	summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1 || true)
	if [[ -n $summary ]]; then
		read -r p _ f _ s _ <<<"$summary"
	else
		s=$(grep -cE '^ *ok\b.*# SKIP' "$log" || true)
		p=$(($(grep -cE '^ *ok\b' "$log" || true) - s))
		f=$(grep -cE '^ *not ok\b' "$log" || true)
	fi
	while IFS= read -r line; do failures+=("$name: $line"); done < <(
		sed -nE 's/^ *not ok *[0-9]* *-? *//p; s/^ *[0-9]+ - (.*) \((Failed|Timeout|SEGFAULT|ILLEGAL|Subprocess.*|Not Run|Child.*)\)$/\1 (\2)/p' "$log")
	while IFS= read -r line; do skips+=("$name: $line"); done < <(
		sed -nE 's/^ *ok *[0-9]* *-? *(.*) # SKIP *(.*)$/\1: \2/p; s/^ *[0-9]+ - (.*) \((Skipped|Disabled)\)$/\1 (\2)/p' "$log")
	if [[ $status != 0 && $f == 0 ]]; then
		f=1
		failures+=("$name: ended with status $status ($log)")
	elif [[ $((p + f)) == 0 ]]; then
		f=1
		failures+=("$name: no test ran ($log)")
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	table+=("$(printf '%-14s %7d %7d %8d %8d' "$name" "$p" "$f" "$s" $((SECONDS - since)))")
}

# The build for the virtual machine's kernel, from nothing, with sparse. Its objects are what
# the core check and the selftests look at.
check_module() {
	if scripts/build-module.sh -k "$kver" -d "$module_dir" --check; then
		echo "ok - the module builds for $kver; compiler, objtool, modpost and sparse are silent"
	else
		echo "not ok - the module builds for $kver, with compiler, objtool, modpost and sparse silent"
		return 1
	fi
}

# First that the check catches what it is meant to catch, then the check.
check_core() {
	local status=0
	scripts/check-core.sh --selftest || status=$?
	scripts/check-core.sh "$module_dir" || status=$?
	return "$status"
}

check_docs() {
	make --no-print-directory tool || {
		echo "not ok - wgtool builds"
		return 1
	}
	scripts/check-docs.sh
}

check_memory() {
	make --no-print-directory tool || {
		echo "not ok - wgtool builds"
		return 1
	}
	WGPP_MODULE=$top/$module_dir/wgpp.ko scripts/check-memory.sh
}

check_selftests() {
	make --no-print-directory selftest-tools || {
		echo "not ok - wgtool and the programs of the selftests build"
		return 1
	}
	WGPP_MODULE=$top/$module_dir/wgpp.ko scripts/kselftest.sh --quick
}

printf '== %4d s  packages\n' "$SECONDS"
if ! scripts/setup.sh; then
	failures+=("packages: scripts/setup.sh could not install what the checks need")
	failed=1 finished=yes
	exit 1
fi
kver=$(scripts/kernel.sh --print kver)
module_dir=build/check/module-$kver

for name in "${stages[@]}"; do
	case $name in
	host-*) stage "$name" scripts/host-test.sh "${name#host-}" ;;
	static) stage static scripts/check-static.sh ;;
	docs) stage docs check_docs ;;
	secrets) stage secrets scripts/check-constant-time.sh ;;
	fuzz) stage fuzz scripts/fuzz.sh --smoke ;;
	parity) stage parity env CASES=1500 scripts/check-parity.sh ;;
	module) stage module check_module ;;
	core) stage core check_core ;;
	memory) stage memory check_memory ;;
	kselftest) stage kselftest check_selftests ;;
	*)
		failures+=("no stage '$name'; the stages are: ${all_stages[*]}")
		failed=$((failed + 1))
		;;
	esac
done
finished=yes
