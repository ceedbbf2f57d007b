#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Checks the sources without running them: shell scripts, manual pages, format, C++ analysis, kernel
# style of the glue, licence lines and leftovers.
#
#	scripts/check-static.sh [BUILDDIR]
#
# BUILDDIR holds compile_commands.json; without one, build/static is configured for it. Output:
# "ok - CHECK" or "not ok - CHECK" with the findings below it; the status is 0 when all hold.
# Findings in C++ are tuned in .clang-tidy and, with a reason, by NOLINT beside the line.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
# shellcheck source=scripts/report.sh
source scripts/report.sh

# tracked PATTERN...: the files that git knows and that are there.
tracked() {
	local file
	git ls-files -- "$@" | sort | while IFS= read -r file; do
		[[ ! -f $file || -L $file ]] || printf '%s\n' "$file"
	done
}

# Scripts by name or by their first line.
shell_scripts() {
	tracked | while IFS= read -r file; do
		if [[ $file == *.@(sh|bash) ]] || head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*\<(ba|da)?sh\>'; then
			printf '%s\n' "$file"
		fi
	done
}

check_shell() {
	shell_scripts | xargs -d '\n' shellcheck --external-sources --format=gcc
}

# Pages of others need not be installed here, and their index need not be new.
check_manual() {
	# 123: it said something.
	{ tracked 'man/*' | xargs -d '\n' mandoc -T lint 2>&1 || [[ $? == 123 ]]; } |
		match -v ': referenced manual not found: |^mandoc: outdated mandoc\.db '
}

check_format() {
	tracked '*.cc' '*.hh' | xargs -d '\n' clang-format --dry-run -Werror
}

# The unit tests are left out: GoogleTest's headers and macros cost more time than all the rest,
# and what they expand to is not ours to change.
tidy_sources() {
	tracked 'module/core/*.cc' 'tool/*.cc' 'fuzz/*.cc' | match -v '_test\.cc$'
}

check_tidy() {
	local file status=0
	while IFS= read -r file; do
		grep -qF "/$file\"" "$build/compile_commands.json" ||
			echo "$file: not in $build/compile_commands.json"
	done < <(tidy_sources)
	tidy_sources | xargs -d '\n' -P 2 -n 3 clang-tidy -p "$build" --quiet \
		2>"$work/tidy.err" || status=$?
	# Its own chatter on how many warnings it suppressed is of interest only when it breaks.
	[[ $status == 0 ]] || cat "$work/tidy.err"
}

# COPYING is the licence itself; the rest has no comments or is data.
check_licence() {
	local file
	tracked | match -v '^(COPYING|\.clang-format|\.editorconfig|.*\.md|.*/\.shellcheckrc)$' |
		match -v '(^|/)\.gitignore$|^selftests/config$|/corpus/|\.(bin|pcap|png|svg|csv)$' |
		while IFS= read -r file; do
			head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2\.0' ||
				echo "$file: no 'SPDX-License-Identifier: GPL-2.0' in its first 3 lines"
		done
}

check_whitespace() {
	tracked | match -v '^COPYING$|/corpus/' | xargs -d '\n' grep -InE '[[:space:]]+$' || [[ $? == 123 ]]
}

check_leftovers() {
	# Spelled so that the pattern does not find itself.
	tracked | xargs -d '\n' grep -InwE 'TOD[O]|FIXM[E]|XX[X]|HAC[K]' || [[ $? == 123 ]]
}

# Debian's kernel packages leave checkpatch.pl out. These are the rules of it that matter here
# and need no parser; 100 columns is its limit too.
kernel_style() {
	awk '
	function complain(what) { print FILENAME ":" FNR ": " what ": " $0 }
	FNR == 1 { in_comment = 0 }
	{
		line = $0
		wide = line
		while ((at = index(wide, "\t")) > 0) {
			wide = substr(wide, 1, at - 1) sprintf("%*s", 8 - (at - 1) % 8, "") substr(wide, at + 1)
		}
		# A message stays in one piece, so that it can be searched for.
		gsub(/"([^"\\]|\\.)*"/, "\"\"", wide)
		if (length(wide) > 100) complain("line over 100 columns")
		if (line ~ /^ +[^ *]/ && !in_comment) complain("indented with spaces")
		if (line ~ / \t/) complain("space before tab")

		# Neither comments nor strings are code.
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
		gsub(/\/\*.*\*\//, "", line)
		was_in_comment = in_comment
		if (in_comment && index(line, "*/")) in_comment = 0
		else if (line ~ /\/\*/) { in_comment = 1; sub(/\/\*.*/, "", line) }
		if (was_in_comment) next

		if (line ~ /\/\// && FNR > 1) complain("C++ comment")
		if (line ~ /(^|[^a-zA-Z0-9_])(if|for|while|switch|do)\(/) complain("no space after the keyword")
		if (line ~ /^\t+\{/ && previous ~ /\)$/) complain("brace on a line of its own")
		if (line ~ /^[a-z].*\) *\{$/ && line !~ /^(struct|union|enum|typedef)/ && line !~ /=/) {
			complain("brace of a function on its first line")
		}
		if (line ~ /^\t*else/ && previous ~ /^\t*\}$/) complain("else on a line after the brace")
		if (line ~ /\)\{/ || line ~ /\}else/ || line ~ /else\{/) complain("no space before the brace")
		if (line ~ /[^ ] ;$/) complain("space before the semicolon")
		if (line ~ /(^|[^a-zA-Z0-9_])return *\(.*\);$/ && line !~ /\).*[-+*\/&|<>=?].*\(|\)[^;]+;/) {
			complain("return in parentheses")
		}
		if (line ~ /[a-z_]\* [a-z_]+[,;)=]/ && line !~ /[0-9)] *\* /) complain("asterisk at the type")
		if (line ~ /(^|[^a-zA-Z0-9_])u?int(8|16|32|64)_t/ && FILENAME !~ /include\//) complain("not a kernel type")
		if (line ~ /(^|[^a-zA-Z0-9_])(printk|BUG|BUG_ON|strcpy|strncpy|sprintf|simple_strto[a-z]+)\(/) {
			complain("deprecated function")
		}
		if (line ~ /(^|[^a-zA-Z0-9_])typedef /) complain("typedef")
		if (line ~ /[^=!<>]=[^= ]/ && line !~ /^ *#/ && line !~ /[-+*\/%&|^]=/) complain("no space after =")
		if (line ~ /,[^ \t\\]/) complain("no space after the comma")
		if (FNR > 1 && line == "" && $0 == "" && blank) complain("two empty lines")
		blank = $0 == ""
		previous = line
	}
	' "$@"
}

check_glue() {
	tracked 'module/glue/*.c' 'module/glue/*.h' | xargs -d '\n' bash -c "$(declare -f kernel_style)"'
		kernel_style "$@"' kernel_style
}

need git git
need shellcheck shellcheck
need mandoc mandoc
need clang-format clang-format
need clang-tidy clang-tidy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case ${1-} in
-h | --help) sed -n '4,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
-*) die "unknown option '$1' (try --help)" ;;
'')
	need cmake cmake
	build=build/static
	need clang++ clang
	# The fuzz targets are sources too, and only clang++ has what they are linked with.
	rm -f "$build/CMakeCache.txt" # it may be that of another compiler
	cmake -S . -B $build -DCMAKE_CXX_COMPILER=clang++ -DWGPP_FUZZ=ON >"$work/cmake" 2>&1 || {
		cat "$work/cmake" >&2
		die "cmake cannot configure $build (see above); scripts/setup.sh installs what it needs"
	}
	;;
*) build=$1 ;;
esac
[[ -r $build/compile_commands.json ]] ||
	die "$build/compile_commands.json is missing: configure the build with cmake first"

report 'shell scripts pass shellcheck' check_shell
report 'manual pages pass mandoc' check_manual
report 'C++ is formatted' check_format
report 'C++ passes clang-tidy' check_tidy
report 'C glue follows the kernel style' check_glue
report 'source files name their licence' check_licence
report 'no trailing white space' check_whitespace
report 'nothing is left to do' check_leftovers

end_report
