// SPDX-License-Identifier: GPL-2.0
// Follows packets, and X25519 in batches where that has vectors, through the machine code,
// instruction by instruction, once for each of several keys and texts of the same lengths. The way
// taken and each address in memory have to be the same every time. It understands no instruction,
// so that it works for all of them; what valgrind proves for all secrets, this shows for a few.
//
//	trace LEVEL DISASSEMBLY     this program's, by objdump; status 3 when two ways differ
//	trace branch DISASSEMBLY    leaks a secret by a branch: it has to be found
//	trace index DISASSEMBLY     leaks one by an address
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <regex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "aead.hh"
#include "program.hh"
#include "x25519.hh"

namespace {

using wgsecret::Bytes;
using wgsecret::random_bytes;
using wgsecret::require;

constexpr int kFound = 3;
constexpr int kNumSecrets = 3;
constexpr size_t kTagLen = wg::kAeadTagLen;
// More than anything here takes.
constexpr size_t kMaxSteps = size_t{4} << 20;

struct Register {
  const char *name;
  size_t offset;
};
constexpr Register kRegisters[] = {
    {"rax", offsetof(user_regs_struct, rax)}, {"rbx", offsetof(user_regs_struct, rbx)},
    {"rcx", offsetof(user_regs_struct, rcx)}, {"rdx", offsetof(user_regs_struct, rdx)},
    {"rsi", offsetof(user_regs_struct, rsi)}, {"rdi", offsetof(user_regs_struct, rdi)},
    {"rbp", offsetof(user_regs_struct, rbp)}, {"rsp", offsetof(user_regs_struct, rsp)},
    {"r8", offsetof(user_regs_struct, r8)},   {"r9", offsetof(user_regs_struct, r9)},
    {"r10", offsetof(user_regs_struct, r10)}, {"r11", offsetof(user_regs_struct, r11)},
    {"r12", offsetof(user_regs_struct, r12)}, {"r13", offsetof(user_regs_struct, r13)},
    {"r14", offsetof(user_regs_struct, r14)}, {"r15", offsetof(user_regs_struct, r15)},
};

class Disassembly {
 public:
  explicit Disassembly(const std::string &path) {
    std::ifstream in(path);
    const std::regex instruction("^ *([0-9a-f]+):\t(.*)$");
    // These only compute.
    const std::regex harmless("^((cs|data16) )*(lea|nop)[lqw]? .*$");
    // What an address is made of, but for what never changes.
    const std::regex memory("[(,]%([a-z0-9]+)(?=[^(]*\\))");
    size_t num = 0;
    for (std::string line; std::getline(in, line);) {
      std::smatch parts;
      if (!std::regex_match(line, parts, instruction)) continue;
      ++num;
      const std::string text = parts[2];
      if (std::regex_match(text, harmless)) continue;
      for (std::sregex_iterator found(text.begin(), text.end(), memory), end; found != end;
           ++found) {
        if ((*found)[1] == "rip") continue;
        registers_[std::stoul(parts[1], nullptr, 16)].push_back(offset_of((*found)[1], line));
      }
    }
    if (num < 1000) throw std::runtime_error(path + " is no disassembly of this program");
  }

  // The registers that say where the next instruction reads or writes, in one number; 0 when it
  // does not.
  uint64_t next(const user_regs_struct &regs) const {
    uint64_t sum = 0;
    const auto at = registers_.find(regs.rip);
    if (at == registers_.end()) return sum;
    for (const size_t offset : at->second) {
      uint64_t value;
      std::memcpy(&value, reinterpret_cast<const char *>(&regs) + offset, sizeof value);
      sum = sum * 0x9e3779b97f4a7c15 + value;
    }
    return sum;
  }

 private:
  // A vector of addresses, which is in no such register, is one that nobody would see here.
  static size_t offset_of(const std::string &name, const std::string &line) {
    for (const Register &known : kRegisters) {
      if (name == known.name) return known.offset;
    }
    throw std::runtime_error("an unknown address:" + line);
  }

  // By the address of an instruction: offsets into user_regs_struct.
  std::unordered_map<uint64_t, std::vector<size_t>> registers_;
};

[[gnu::noinline]] void begin_mark() {
  __asm__ __volatile__("int3");
}
[[gnu::noinline]] void end_mark() {
  __asm__ __volatile__("" : : : "memory");
}

// What is followed: the memory, of which every run has the same, and two parts of the work.
struct Work {
  std::string name;
  std::function<void(int secret)> prepare;
  std::function<void()> body;
  int num_secrets = kNumSecrets;
};

// Goes on to the next stop of the child.
void wait_for(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
    throw std::runtime_error("the traced process has ended");
  }
}

// The steps that the work takes with one of the secrets.
std::vector<std::pair<uint64_t, uint64_t>> follow(const Work &work, int secret,
                                                  const Disassembly &code) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process to trace");
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    work.prepare(secret);
    begin_mark();
    work.body();
    end_mark();
    _exit(0);
  }
  wait_for(child);
  std::vector<std::pair<uint64_t, uint64_t>> steps;
  const auto end = reinterpret_cast<uint64_t>(&end_mark);
  while (true) {
    user_regs_struct regs{};
    ptrace(PTRACE_GETREGS, child, nullptr, &regs);
    if (regs.rip == end) break;
    steps.emplace_back(regs.rip, code.next(regs));
    if (steps.size() > kMaxSteps) throw std::runtime_error(work.name + " does not come to an end");
    ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
    wait_for(child);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return steps;
}

// False, with a line that says where, when secrets make a difference.
bool is_same_way(const Work &work, const Disassembly &code) {
  const auto first = follow(work, 0, code);
  for (int secret = 1; secret < work.num_secrets; ++secret) {
    const auto other = follow(work, secret, code);
    for (size_t i = 0; i < std::min(first.size(), other.size()); ++i) {
      if (first[i] == other[i]) continue;
      std::printf("%s: step %zu at %#lx or %#lx depends on a secret\n", work.name.c_str(), i,
                  first[i].first, other[i].first);
      return false;
    }
    require(first.size() == other.size(), "the end mark");
  }
  std::printf("%s: %zu steps\n", work.name.c_str(), first.size());
  return true;
}

// The same memory for each of the secrets, or addresses would differ.
void refill(Bytes &bytes) {
  const Bytes fresh = random_bytes(bytes.size());
  std::copy(fresh.begin(), fresh.end(), bytes.begin());
}

// Packets of these lengths, all with one key or each with its own.
class Packets {
 public:
  Packets(std::vector<size_t> lens, bool has_one_key)
      : lens_(std::move(lens)), keys_(has_one_key ? 1 : lens_.size(), Bytes(32)) {
    for (size_t i = 0; i < lens_.size(); ++i) {
      texts_.emplace_back(lens_[i]);
      sealed_.emplace_back(lens_[i] + kTagLen);
      batch_.push_back({sealed_[i].data(), texts_[i].data(), lens_[i], i,
                        keys_[has_one_key ? 0 : i].data(), false});
    }
  }

  Work seal() {
    return {"seal", [this](int secret) { fill(secret); },
            [this] { wg::aead_seal_batch(batch_.data(), batch_.size(), true); }};
  }
  Work open() {
    return {
        "open",
        [this](int secret) {
          fill(secret);
          for (size_t i = 0; i < batch_.size(); ++i) {
            wg::aead_seal(sealed_[i].data(), {texts_[i].data(), lens_[i]}, {}, i, batch_[i].key);
            batch_[i].src = sealed_[i].data();
            batch_[i].dst = texts_[i].data();
          }
        },
        [this] { wg::aead_open_batch(batch_.data(), batch_.size(), true); }};
  }

 private:
  void fill(int secret) {
    for (int i = 0; i < secret; ++i) random_bytes(1);
    for (Bytes &key : keys_) refill(key);
    for (Bytes &text : texts_) refill(text);
  }

  std::vector<size_t> lens_;
  std::vector<Bytes> keys_, texts_, sealed_;
  std::vector<wg::AeadPacket> batch_;
};

// Points multiplied together: many steps, hence two secrets only.
class Points {
 public:
  Points() : scalars_(wg::kX25519BatchMax, Bytes(32)), points_(wg::kX25519BatchMax, Bytes(32)) {
    for (size_t i = 0; i < wg::kX25519BatchMax; ++i) {
      batch_.scalar[i] = scalars_[i].data();
      batch_.point[i] = points_[i].data();
    }
  }

  Work multiply() {
    return {"multiply",
            [this](int secret) {
              for (int i = 0; i < secret; ++i) random_bytes(1);
              for (Bytes &scalar : scalars_) refill(scalar);
              for (Bytes &point : points_) refill(point);
            },
            [this] { wg::x25519_batch(batch_, wg::kX25519BatchMax, true); }, 2};
  }

 private:
  std::vector<Bytes> scalars_, points_;
  wg::X25519Batch batch_{};
};

uint8_t leaked = 0;
// Of words: there an address may have an index and no base.
volatile uint64_t table[256] = {};

// Leaks, so that a trace which sees nothing is noticed.
Work leak(const std::string &how) {
  const auto prepare = [](int secret) { leaked = static_cast<uint8_t>(secret); };
  if (how == "index") return {how, prepare, [] { table[0] = table[leaked]; }};
  return {how, prepare, [] {
            if ((leaked & 1) != 0) table[1] = 2;
          }};
}

int run(const std::vector<std::string> &args) {
  const std::string &what = args[0];
  const Disassembly code(args[1]);
  if (what == "branch" || what == "index") return is_same_way(leak(what), code) ? 0 : kFound;
  wgsecret::use_level(what);
  bool is_same = true;
  for (const std::vector<size_t> &lens : std::vector<std::vector<size_t>>{
           {0}, {64}, {65}, {300}, {1420}, {1, 15, 16, 17, 63, 64, 127, 128, 600}}) {
    for (const bool has_one_key : {true, false}) {
      if (lens.size() == 1 && has_one_key) continue;
      Packets packets(lens, has_one_key);
      is_same &= is_same_way(packets.seal(), code);
      is_same &= is_same_way(packets.open(), code);
    }
  }
  // Otherwise it is what the probe knows.
  if (wg::x25519_batch_wants_vectors(wg::kX25519BatchMax))
    is_same &= is_same_way(Points().multiply(), code);
  return is_same ? 0 : kFound;
}

}  // namespace

int main(int argc, char **argv) {
  return wgsecret::run_program(run, 2, argc, argv);
}
