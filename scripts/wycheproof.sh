#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The test vectors of the Wycheproof project that the host tests read, from Debian's package of
# them, in build/wycheproof. Nothing is done when they are there already.
#
#	scripts/wycheproof.sh     prints the directory
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$top/build/wycheproof
case ${1-} in
-h | --help) sed -n '4,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
if [[ ! -d $dir ]]; then
	mkdir -p "$top/build"
	work=$(mktemp -d -p "$top/build" --suffix=.wycheproof)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/files"
	deb=$("$top/scripts/debian-package.sh" sid golang-github-c2sp-wycheproof-dev "$work")
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/files" --wildcards --no-same-owner \
		--transform='s,.*/,,' '*/testvectors_v1/chacha20_poly1305_test.json' \
		'*/testvectors_v1/xchacha20_poly1305_test.json' '*/testvectors_v1/x25519_test.json'
	mv "$work/files" "$dir"
fi
echo "$dir"
