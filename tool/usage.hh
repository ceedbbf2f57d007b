// SPDX-License-Identifier: GPL-2.0
// The command table, and what is printed of it.
#pragma once

#include <span>
#include <string>

#include "commands.hh"

namespace wg::tool {

/** The commands of wgtool; those of wg(8) come first. */
std::span<const Command> commands();

/** find_command() - by name. @as_wg: only what wg(8) knows. Return: nullptr if there is none. */
const Command *find_command(const std::string &name, bool as_wg);

/** print_usage() - the list of commands */
void print_usage(Output &out, const std::string &program, bool as_wg);

/** print_command_usage() - one line, as wg(8) has it */
void print_command_usage(Output &out, const std::string &program, const Command &command);

/** print_help() - usage, options and an example of one command */
void print_help(Output &out, const std::string &program, const Command &command);

}  // namespace wg::tool
