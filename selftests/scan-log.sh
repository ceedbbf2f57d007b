#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Prints the lines of a kernel log that a sound kernel never writes, each with its number and
# with NUM lines that follow it (default 0); status 1 when there are any.
#
#	scan-log.sh FILE [NUM]
#
# Between the lines "selftest: memory runs out on purpose" and "selftest: memory is back" the
# kernel may say, with a trace, that it found no memory.
set -euo pipefail

faults='BUG|WARNING|Oops|Call Trace|\bstall|lockup|hung_task|blocked for more than|general protection'
faults+='|rcu.*self-detected|suspicious RCU|circular locking|possible recursive'
faults+='|refcount_t|use-after-free|KASAN|UBSAN|KCSAN|KMSAN|KFENCE|DEBUG_LOCKS|leaked'
faults+='|leak detector disabled'
faults+='|unregister_netdevice: waiting|Objects remaining|scheduling while atomic|objtool'
faults+='|page fault|Kernel panic'

# Taint is logged with a reason. Out of tree and unsigned are what a module under test is; the
# kernel says so in these words, and every other taint in others.
faults+='|taint'
harmless='loading out-of-tree module taints kernel'
harmless+='|module verification failed: signature and/or required key missing - tainting kernel'

# Lines keep their numbers: what is expected is emptied.
found=$(awk -v harmless="$harmless" '
	/selftest: memory runs out on purpose/ { on_purpose = 1 }
	/selftest: memory is back/ { on_purpose = 0 }
	on_purpose && /: (page allocation failure|vmalloc error): / { expected = 1 }
	on_purpose && /kmem_cache_create[a-z_]*\(wgpp_[a-z0-9_]*\) failed with error -(12|22)$/ { expected = 1 }
	/Call Trace:/ && expected { expected = 0; print ""; next }
	$0 ~ harmless { print ""; next }
	{ print }' "$1" | grep -nE -A "${2:-0}" "$faults" || true)
[[ -n $found ]] || exit 0
printf '%s\n' "$found"
exit 1
