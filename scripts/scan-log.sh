#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Prints the lines of a kernel log that a sound kernel never writes; status 1 when there are any.
#
#	scripts/scan-log.sh FILE
set -euo pipefail

faults='BUG|WARNING|Oops|Call Trace|lockup|hung_task|blocked for more than|general protection'
faults+='|rcu.*(stall|self-detected)|suspicious RCU|circular locking|possible recursive'
faults+='|refcount_t|use-after-free|KASAN|UBSAN|KCSAN|KFENCE|kmemleak|unregister_netdevice: waiting'
faults+='|Objects remaining|scheduling while atomic|objtool|page fault|Kernel panic'

# Taint is logged with a reason. Out of tree and unsigned are what a module under test is; the
# kernel says so in these words, and every other taint in others.
faults+='|taint'
harmless='loading out-of-tree module taints kernel'
harmless+='|module verification failed: signature and/or required key missing - tainting kernel'

found=$(grep -nE "$faults" "$1" | grep -vE "$harmless" || true)
[[ -n $found ]] || exit 0
printf '%s\n' "$found"
exit 1
