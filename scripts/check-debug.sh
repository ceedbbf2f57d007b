#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make check-debug: builds the debug kernel (once) and the module for it, and runs every
# kernel selftest in it. The last line is "N passed, N failed, N skipped".
#
#	scripts/check-debug.sh [TEST...]
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
scripts/setup.sh build vm debug
kdir=$(scripts/source-kernel.sh debug --print kdir)
ARCH=um scripts/build-module.sh -K "$kdir" -d build/module-debug
make --no-print-directory selftest-tools
exec scripts/kselftest.sh --debug "$@"
