// SPDX-License-Identifier: GPL-2.0
// What `up', `down', `apply' and `clean' have in common: each function is one or more Steps.
#pragma once

#include <string>
#include <vector>

#include "error.hh"
#include "network.hh"
#include "quick_config.hh"
#include "steps.hh"
#include "tunnel.hh"

namespace wg::tool {

/** run_hooks() - each by bash(1), `%i' replaced by the device. Throws Error when one fails. */
void run_hooks(Context &context, Steps &steps, const std::vector<std::string> &commands,
               const std::string &device);

/** run_all_hooks() - the same, on to the end, whatever fails. Return: whether none failed. */
bool run_all_hooks(Context &context, const std::vector<std::string> &commands,
                   const std::string &device);

/** run_program() - one program. Throws Error that names it when it fails. */
void run_program(Context &context, const std::vector<std::string> &arguments,
                 std::string_view input);

/** set_dns() - nothing when the file has no DNS. Throws Error when no program can do it. */
void set_dns(Context &context, Steps &steps, const QuickConfig &config);

/** unset_dns() - forget what set_dns() said for @device */
void unset_dns(Context &context, Steps &steps, const std::string &device);

/** try_unset_dns() - the same for a device that goes; failures are told, and end nothing */
void try_unset_dns(Context &context, Steps &steps, const std::string &device);

/** dns_record() - what set_dns() says, as text; empty for nothing */
std::string dns_record(const QuickConfig &config);

/** read_dns_record() - what was said for @device last, in this namespace */
std::string read_dns_record(Context &context, const std::string &device);

/** own_full_rules() - find_full_rules() of this link only, should others have its mark */
std::vector<Rule> own_full_rules(Network &network, uint32_t link_index, uint32_t fwmark);

/** dns_devices() - of this namespace, for which set_dns() said something */
std::vector<std::string> dns_devices(Context &context);

/** add_full_rules() - those of one family; what is there already stays */
void add_full_rules(Context &context, Steps &steps, uint16_t family, uint32_t table);

void remove_rules(Context &context, Steps &steps, const std::vector<Rule> &rules);

/** accept_marks() - the reverse path filter is to look at marks, too (IPv4) */
void accept_marks(Context &context, Steps &steps);

/**
 * set_firewall() - the table of one family, made or made anew
 * @addresses: of the device
 * @before: as nft(8) lists the table that is there, or empty
 */
void set_firewall(Context &context, Steps &steps, const std::string &device, uint16_t family,
                  const std::vector<Prefix> &addresses, uint32_t mark,
                  const std::string &before = {});

/** firewall_tables() - of both families, as nft(8) names them: "ip wgtool-wg0" */
std::vector<std::string> firewall_tables(Context &context);

/** firewall_name() - of such a table, its family left out */
std::string firewall_name(const std::string &table);

/** remove_firewall() - each of @tables */
void remove_firewall(Context &context, Steps &steps, const std::vector<std::string> &tables);

/** Another wgtool has the lock of a device. */
class LockedError : public Error {
 public:
  using Error::Error;
};

/**
 * While it lasts no other wgtool brings this device up or down. Throws LockedError when one does
 * already. Who only tells what would be done (@dry_run) needs none.
 */
class DeviceLock {
 public:
  DeviceLock(Context &context, const std::string &device, bool dry_run);
  DeviceLock(const DeviceLock &) = delete;
  DeviceLock &operator=(const DeviceLock &) = delete;
  ~DeviceLock();

 private:
  System &system_;
  int handle_;
};

/** note_start() - that a program in user space is about to make a device; forget_start(): it has */
void note_start(Context &context, const std::string &device);
void forget_start(Context &context, const std::string &device);

/** is_unfinished() - whether a device is half made or half taken down */
bool is_unfinished(Context &context, const Link &link);

/** prefixes_of() - addresses of a link, as they are now */
std::vector<Prefix> prefixes_of(Network &network, uint32_t link_index);

/** require_device() - the link of a device of ours. Throws Error that says what is wrong. */
Link require_device(Context &context, const std::string &name);

}  // namespace wg::tool
