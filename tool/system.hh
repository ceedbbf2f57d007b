// SPDX-License-Identifier: GPL-2.0
// Processes, sysctls and signals: what bringing a device up needs beside the network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wg::tool {

/** What the machine does for us; tests have one of their own. */
class System {
 public:
  virtual ~System() = default;

  /**
   * run() - start a program and wait for its end
   * @arguments: the program first, looked up in PATH; no shell is involved
   * @input: for its standard input
   *
   * Return: its exit status, or 128 and the signal's number; 127 when there is no such program.
   * Throws SystemError when it could not be started for another reason.
   */
  virtual int run(const std::vector<std::string> &arguments, std::string_view input) = 0;

  /** As run(), and what it prints is put into @output, up to a bound. */
  virtual int run_and_read(const std::vector<std::string> &arguments, std::string &output) = 0;

  /** write_text() - make or replace a file below /run, its directory too. Throws SystemError. */
  virtual void write_text(const std::string &path, const std::string &text) = 0;
  /** list_files() - names in a directory; none when there is no such directory */
  virtual std::vector<std::string> list_files(const std::string &directory) = 0;
  /** remove_file() - what does not exist is removed already */
  virtual void remove_file(const std::string &path) = 0;
  /**
   * lock() - a lock that ends with the process, or by unlock()
   * Return: a handle, or -1 when somebody has it. Throws SystemError.
   */
  virtual int lock(const std::string &path) = 0;
  virtual void unlock(int handle) = 0;
  /** A number that tells this network namespace from all others while they last. */
  virtual uint64_t namespace_id() = 0;

  virtual bool has_program(const std::string &name) = 0;
  /** Whether a program in PATH is a link to another one. */
  virtual bool is_program_link(const std::string &name) = 0;
  /** Of an environment variable; empty when it is not set. */
  virtual std::string environment(const std::string &name) = 0;
  /** read_text() - a small file, or nothing when it cannot be read */
  virtual std::string read_text(const std::string &path) = 0;

  /** @path: below /proc/sys. Return: the first line, or nothing when it cannot be read. */
  virtual std::string read_sysctl(const std::string &path) = 0;
  /** Throws SystemError. */
  virtual void write_sysctl(const std::string &path, const std::string &value) = 0;

  /** exists() - whether there is a file of this name */
  virtual bool exists(const std::string &path) = 0;

  /** Return: the signal that asks us to stop, or 0. */
  virtual int stop_signal() = 0;
};

std::unique_ptr<System> open_system();

/**
 * catch_stop_signals() - from now on SIGINT, SIGTERM and SIGHUP are noted instead of obeyed
 *
 * One that is ignored, as by nohup(1), stays so. SIGPIPE is ignored: that nobody reads what is told
 * must not end what is being done.
 * System::stop_signal() tells of them. Children get the default back.
 */
void catch_stop_signals();

}  // namespace wg::tool
