# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the checks of sources, objects and documents have in common; sourced by them, and ended with
# end_report.

num_failed=0

die() {
	echo "$(basename "$0" .sh): $*" >&2
	exit 2
}

# need PROGRAM PACKAGE
need() {
	command -v "$1" >/dev/null || die "$1 is missing: install the package $2"
}

# report PROPERTY COMMAND...: what the command prints, also when it breaks, are the findings; none
# means that the property holds.
report() {
	local property=$1 findings
	shift
	findings=$("$@" 2>&1) || findings+=${findings:+$'\n'}"$1 ended with status $?"
	if [[ -z $findings ]]; then
		echo "ok - $property"
		return
	fi
	echo "not ok - $property"
	head -n 60 <<<"$findings" | sed 's/^/#   /'
	num_failed=$((num_failed + 1))
}

# grep, but no match is no error.
match() {
	grep -E "$@" || [[ $? == 1 ]]
}

# Status: whether all properties hold.
end_report() {
	[[ $num_failed == 0 ]] || echo "# $num_failed failed" >&2
	((num_failed == 0))
}
