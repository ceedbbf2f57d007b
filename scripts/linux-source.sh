#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Unpacks the kernel's source from a Debian package of any release.
#
#	scripts/linux-source.sh RELEASE PACKAGE DIR [PATH...]
#
# for example: trixie linux-source-6.12 DIR. DIR is made, and appears only when it is complete.
# With PATHs, only these files and directories of the source are unpacked.
set -euo pipefail

die() {
	echo "linux-source.sh: $*" >&2
	exit 1
}

case ${1-} in
-h | --help) sed -n '4,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
[[ $# -ge 3 ]] || die "a release, a package and a directory are needed (try --help)"
release=$1 package=$2 dir=$(realpath -m "$3")
shift 3
[[ ! -e $dir ]] || die "$dir is there already"

# The package may be of another release than this machine: the release's package list is read
# into a directory of its own, which leaves this machine's apt alone. The archive's address is
# the one this machine already uses.
archive() {
	local file
	for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[[ -r $file ]] || continue
		case $file in
		*.sources) sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' "$file" ;;
		*) sed -n 's/^deb[[:space:]]\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p' "$file" ;;
		esac
	done | grep -v -e security | head -n 1
}

uri=$(archive)
[[ -n $uri ]] || die "no Debian archive in /etc/apt; the kernel's source comes from there"
mkdir -p "$(dirname "$dir")"
work=$(mktemp -d -p "$(dirname "$dir")" --suffix=.source)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/source"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $release main" \
	>"$work/apt/sources.list"
opts=(-q -o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache"
	-o APT::Sandbox::User=root -o Acquire::Retries=3)
apt-get "${opts[@]}" update >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	die "cannot read Debian's package lists (above)"
}
echo "linux-source: downloading $package" >&2
(cd "$work" && apt-get "${opts[@]}" download "$package" >"$work/log" 2>&1) || {
	cat "$work/log" >&2
	die "cannot download $package (above)"
}
echo "linux-source: unpacking $package" >&2
declare -a members=()
for path; do members+=("$package/$path"); done
dpkg-deb --fsys-tarfile "$work/$package"_*.deb | tar -xO "./usr/src/$package.tar.xz" |
	tar -xJ -C "$work/source" --strip-components=1 --no-same-owner "${members[@]}"
mv "$work/source" "$dir"
