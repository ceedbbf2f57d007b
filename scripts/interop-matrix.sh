#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the interoperation of selftests/test-interop-matrix.sh in the virtual machine, and
# writes its results as a table into Documentation/testing.md. Six minutes, most of them waiting.
#
#	scripts/interop-matrix.sh [--debug]
#
# With --debug it runs in the debug kernel, and the table is printed only. The status is 0
# when every result is a success.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
document=$top/Documentation/testing.md
kselftest=("$top/scripts/kselftest.sh")
debug=no
case ${1-} in
'') ;;
--debug) debug=yes kselftest+=(--debug) ;;
*) sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac

log=$top/build/interop-matrix.log
mkdir -p "$top/build"
status=0
"${kselftest[@]}" interop-matrix | tee "$log" || status=$?

# Rows in the order in which the scenarios are first named, a column for each peer.
table() {
	awk '
		/^ *(not )?ok [0-9]+ - [^:]+: [^:]+: (we|it)$/ {
			result = $1 == "ok" ? "passes" : "**fails**"
			sub(/^ *(not )?ok [0-9]+ - /, "")
			split($0, part, ": ")
			row = part[2] SUBSEP part[3]
			if (!(part[1] in column)) { column[part[1]] = ++columns; peer[columns] = part[1] }
			if (!(row in seen)) { seen[row] = ++rows; name[rows] = row }
			cell[row, part[1]] = result
		}
		/^ *# (in-tree|wireguard-go|wgpp): / {
			sub(/^ *# /, "")
			what = $0
			sub(/:.*/, "", what)
			sub(/^[^:]*: /, "")
			version[what] = $0
		}
		END {
			who["we"] = "wgpp"
			who["it"] = "the peer"
			does["IPv4"] = "IPv4 outside, %s begins"
			does["IPv6"] = "IPv6 outside, %s begins"
			does["preshared key"] = "preshared key, first an unequal one, %s begins"
			does["roaming"] = "%s roams: IPv4, IPv6, and back"
			does["rekeying"] = "two rekeyings after 120 s each, %s begins"
			does["cookie"] = "%s is under load and asks for a cookie"
			line = "| |"
			rule = "|---|"
			for (c = 1; c <= columns; c++) {
				line = line " " peer[c] " " version[peer[c]] " |"
				rule = rule "---|"
			}
			print line
			print rule
			for (r = 1; r <= rows; r++) {
				split(name[r], part, SUBSEP)
				line = sprintf("| " does[part[1]] " |", who[part[2]])
				for (c = 1; c <= columns; c++) {
					value = cell[name[r], peer[c]]
					line = line " " (value == "" ? "**not run**" : value) " |"
				}
				print line
			}
			exit rows == 0
		}' "$log"
}

if ! table >"$log.table"; then
	echo "interop-matrix: there is no result (log: $log)" >&2
	exit 1
fi
if [[ $debug == yes ]]; then
	cat "$log.table"
	exit "$status"
fi
begin='<!-- interop-matrix: written by scripts/interop-matrix.sh -->' end='<!-- interop-matrix ends -->'
if ! grep -qxF -- "$begin" "$document" || ! grep -qxF -- "$end" "$document"; then
	echo "interop-matrix: $document lacks the lines between which the table belongs" >&2
	exit 1
fi
awk -v begin="$begin" -v end="$end" -v table="$log.table" '
	$0 == end { inside = 0 }
	!inside { print }
	$0 == begin { inside = 1; while ((getline line < table) > 0) print line }' \
	"$document" >"$log.document"
cat "$log.document" >"$document"
echo "interop-matrix: the table is in Documentation/testing.md"
exit "$status"
