#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Downloads a Debian package of any release, without installing it.
#
#	scripts/debian-package.sh RELEASE PACKAGE DIR [ARCHITECTURE]
#
# for example: sid linux-source-7.2 DIR. The architecture is this machine's unless it is given. The package is put into DIR, which has to exist, and its
# path is printed. This machine's own apt is left alone: the release's package lists are read into
# DIR, and the archive is the one that this machine already uses.
set -euo pipefail

die() {
	echo "debian-package: $*" >&2
	exit 1
}

case ${1-} in
-h | --help) sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
[[ $# == 3 || $# == 4 ]] || die "a release, a package and a directory are needed (try --help)"
release=$1 package=$2 dir=$(realpath "$3") arch=${4:-$(dpkg --print-architecture)}

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
[[ -n $uri ]] || die "no Debian archive in /etc/apt; $package comes from there"
apt=$dir/apt-$release-$arch
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $release main" \
	>"$apt/sources.list"
opts=(-q -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache"
	-o APT::Sandbox::User=root -o Acquire::Retries=3
	-o "APT::Architecture=$arch" -o "APT::Architectures=$arch")
apt-get "${opts[@]}" update >"$apt/log" 2>&1 || {
	cat "$apt/log" >&2
	die "cannot read Debian's package lists (above)"
}
echo "debian-package: downloading $package from $release" >&2
(cd "$dir" && apt-get "${opts[@]}" download "$package" >"$apt/log" 2>&1) || {
	cat "$apt/log" >&2
	die "cannot download $package (above)"
}
printf '%s\n' "$dir/$package"_*.deb
