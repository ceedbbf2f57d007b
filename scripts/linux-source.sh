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

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d -p "$(dirname "$dir")" --suffix=.source)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
deb=$("$(dirname "${BASH_SOURCE[0]}")/debian-package.sh" "$release" "$package" "$work")
echo "linux-source: unpacking $package" >&2
declare -a members=()
for path; do members+=("$package/$path"); done
dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" |
	tar -xJ -C "$work/source" --strip-components=1 --no-same-owner "${members[@]}"
mv "$work/source" "$dir"
