// SPDX-License-Identifier: GPL-2.0
// What a process leaves in memory when it ends.
#pragma once

namespace wg::tool {

/**
 * Overwrites the stack below the caller, the vector registers, and the kernel's copy of them.
 *
 * memcpy() carries keys through vector registers. The dynamic linker saves these on the stack when
 * a function is called for the first time; the kernel saves them with the task at each switch to
 * another process. It frees both unwiped when the process ends, so that a key could outlive the
 * tool there. To be called when every key in memory has been wiped.
 */
void wipe_traces();

}  // namespace wg::tool
