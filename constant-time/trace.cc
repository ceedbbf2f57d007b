// SPDX-License-Identifier: GPL-2.0
// Follows packets, and X25519 in batches where that has vectors, through the machine code,
// instruction by instruction, once for each of several keys and texts of the same lengths. The way
// taken and each address in memory have to be the same every time. It understands no instruction,
// so that it works for all of them; what valgrind proves for all secrets, this shows for a few.
//
//	trace LEVEL DISASSEMBLY     this program's, by objdump; status 3 when two ways differ
//	trace branch DISASSEMBLY    leaks a secret by a branch: it has to be found
//	trace index DISASSEMBLY     leaks one by an address
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <x86intrin.h>

#include <csignal>
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
  int index;
};
constexpr Register kRegisters[] = {
    {"rax", REG_RAX}, {"rbx", REG_RBX}, {"rcx", REG_RCX}, {"rdx", REG_RDX},
    {"rsi", REG_RSI}, {"rdi", REG_RDI}, {"rbp", REG_RBP}, {"rsp", REG_RSP},
    {"r8", REG_R8},   {"r9", REG_R9},   {"r10", REG_R10}, {"r11", REG_R11},
    {"r12", REG_R12}, {"r13", REG_R13}, {"r14", REG_R14}, {"r15", REG_R15},
};

// An instruction that was about to run, and the registers that say where it reads or writes, in
// one number; 0 when it does not.
struct Step {
  uint64_t at;
  uint64_t registers;
  bool operator==(const Step &) const = default;
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
        registers_[std::stoul(parts[1], nullptr, 16)].push_back(index_of((*found)[1], line));
      }
    }
    if (num < 1000) throw std::runtime_error(path + " is no disassembly of this program");
  }

  // Of the next instruction.
  Step next(const gregset_t &registers) const {
    Step step{static_cast<uint64_t>(registers[REG_RIP]), 0};
    const auto at = registers_.find(step.at);
    if (at == registers_.end()) return step;
    for (const int index : at->second)
      step.registers =
          step.registers * 0x9e3779b97f4a7c15 + static_cast<uint64_t>(registers[index]);
    return step;
  }

 private:
  // A vector of addresses, which is in no such register, is one that nobody would see here.
  static int index_of(const std::string &name, const std::string &line) {
    for (const Register &known : kRegisters) {
      if (name == known.name) return known.index;
    }
    throw std::runtime_error("an unknown address:" + line);
  }

  // By the address of an instruction: places in gregset_t.
  std::unordered_map<uint64_t, std::vector<int>> registers_;
};

// What is followed: the memory, of which every run has the same, and two parts of the work.
struct Work {
  std::string name;
  std::function<void(int secret)> prepare;
  std::function<void()> body;
  int num_secrets = kNumSecrets;
};

// What a child fills for its parent.
struct Steps {
  size_t num;
  Step list[kMaxSteps];
};
Steps *steps;
const Disassembly *disassembly;

// The flag that has the processor trap after each instruction (Intel's manual, 2.3).
constexpr uint64_t kTrapFlag = 1 << 8;

// On a stack of its own: what it leaves there is in nobody's way.
void record(int /*signal*/, siginfo_t * /*info*/, void *context) {
  auto &registers = static_cast<ucontext_t *>(context)->uc_mcontext.gregs;
  if (steps->num == kMaxSteps) _exit(1);
  steps->list[steps->num++] = disassembly->next(registers);
}

[[gnu::noinline]] void run_stepwise(const std::function<void()> &body) {
  __writeeflags(__readeflags() | kTrapFlag);
  body();
  __writeeflags(__readeflags() & ~kTrapFlag);
}

[[noreturn]] void run_child(const Work &work, int secret) {
  static uint8_t stack[64 << 10];
  const stack_t other = {stack, 0, sizeof stack};
  struct sigaction action {};
  action.sa_sigaction = record;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (sigaltstack(&other, nullptr) != 0 || sigaction(SIGTRAP, &action, nullptr) != 0) _exit(1);
  work.prepare(secret);
  run_stepwise(work.body);
  _exit(0);
}

// The steps that the work takes with one of the secrets, in a process of its own.
std::vector<Step> follow(const Work &work, int secret) {
  steps->num = 0;
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process to trace");
  if (child == 0) run_child(work, secret);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0 || steps->num == 0) {
    throw std::runtime_error(work.name + " does not come to its end");
  }
  return {steps->list, steps->list + steps->num};
}

// False, with a line that says where, when secrets make a difference.
bool is_same_way(const Work &work) {
  const std::vector<Step> first = follow(work, 0);
  for (int secret = 1; secret < work.num_secrets; ++secret) {
    const std::vector<Step> other = follow(work, secret);
    for (size_t i = 0; i < std::min(first.size(), other.size()); ++i) {
      if (first[i] == other[i]) continue;
      std::printf("%s: step %zu at %#lx or %#lx depends on a secret\n", work.name.c_str(), i,
                  first[i].at, other[i].at);
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
  disassembly = &code;
  void *const memory = mmap(nullptr, sizeof(Steps), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for the steps");
  steps = static_cast<Steps *>(memory);
  if (what == "branch" || what == "index") return is_same_way(leak(what)) ? 0 : kFound;
  wgsecret::use_level(what);
  bool is_same = true;
  for (const std::vector<size_t> &lens : std::vector<std::vector<size_t>>{
           {0}, {64}, {65}, {300}, {1420}, {1, 15, 16, 17, 63, 64, 127, 128, 600}}) {
    for (const bool has_one_key : {true, false}) {
      if (lens.size() == 1 && has_one_key) continue;
      Packets packets(lens, has_one_key);
      is_same &= is_same_way(packets.seal());
      is_same &= is_same_way(packets.open());
    }
  }
  // Otherwise it is what the probe knows.
  if (wg::x25519_batch_wants_vectors(wg::kX25519BatchMax))
    is_same &= is_same_way(Points().multiply());
  return is_same ? 0 : kFound;
}

}  // namespace

int main(int argc, char **argv) {
  return wgsecret::run_program(run, 2, argc, argv);
}
