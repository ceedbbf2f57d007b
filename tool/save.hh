// SPDX-License-Identifier: GPL-2.0
// Writing the state of a device back into its file.
#pragma once

#include <vector>

#include "quick_config.hh"
#include "secret.hh"
#include "steps.hh"

namespace wg::tool {

/** What a file is to say that the device itself does not know. */
struct SavedState {
  /** Of the link, those that the kernel made left out. */
  std::vector<Prefix> addresses;
  uint32_t mtu = 0;
  /** Whether the mark was chosen by `up', for a table of its own. */
  bool is_mark_ours = false;
};

/**
 * edit_config() - the text of @config brought to the state of @device
 *
 * Only lines that do not say what is so are changed. Comments, order, hooks and names of endpoints
 * stay, and so does a line that says the same in other words. Peers that are gone lose their
 * section and the comments right above it; new ones come last.
 */
SecretBytes edit_config(const QuickConfig &config, const Device &device, const SavedState &state);

/** write_config() - replace a file in one go, its mode kept. Throws Error that names it. */
void write_config(const std::string &path, const SecretBytes &text);

/** save_step() - edit and write, as one step */
void save_step(Context &context, Steps &steps, const QuickConfig &config, const Device &device);

}  // namespace wg::tool
