// SPDX-License-Identifier: GPL-2.0
// Memory that holds secrets: it is overwritten before it goes back to the heap.
#pragma once

#include <cstddef>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "wgcore.h"

namespace wg::tool {

/** An allocator that wipes each block before it is freed, also when a vector grows. */
template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  constexpr WipingAllocator(const WipingAllocator<U> &) {}

  T *allocate(size_t count) { return static_cast<T *>(::operator new(count * sizeof(T))); }
  void deallocate(T *block, size_t count) {
    wgc_wipe(block, count * sizeof(T));
    ::operator delete(block);
  }
  bool operator==(const WipingAllocator &) const { return true; }
};

/** Bytes of which some may be secret. Unlike std::string it never stores them inline. */
using SecretBytes = std::vector<char, WipingAllocator<char>>;

inline std::string_view view(const SecretBytes &bytes) {
  return {bytes.data(), bytes.size()};
}

/** Calls a function when the scope ends, on every path. */
template <typename F>
class OnExit {
 public:
  explicit OnExit(F action) : action_(std::move(action)) {}
  OnExit(const OnExit &) = delete;
  OnExit &operator=(const OnExit &) = delete;
  ~OnExit() { action_(); }

 private:
  F action_;
};

}  // namespace wg::tool
