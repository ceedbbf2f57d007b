// SPDX-License-Identifier: GPL-2.0
// Elements of two vectors in another order, for the objects with vector instructions.
#pragma once

// g++ has the name that both compilers know since version 12.
#if defined(__clang__) || __GNUC__ >= 12
#define WGPP_SHUFFLE __builtin_shufflevector
#else
#define WGPP_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, __typeof__(a){__VA_ARGS__})
#endif
