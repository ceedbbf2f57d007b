/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel's interface as its own cryptography needs to be measured in a
 * program. Vector registers cost nothing here: in a kernel each section of them does.
 */
#ifndef WGPP_BENCH_CRYPTO_KERNEL_H
#define WGPP_BENCH_CRYPTO_KERNEL_H

#ifndef __ASSEMBLER__

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned __int128 u128;
typedef u32 __le32;
typedef u64 __le64;

#define at_least static
#define asmlinkage
#define __must_check
#define noinline __attribute__((noinline))
#define __init
#define __exit
#define __maybe_unused __attribute__((unused))
#define __aligned(n) __attribute__((aligned(n)))
#define __ro_after_init
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define DIV_ROUND_UP(x, n) (((x) + (n) - 1) / (n))
#define round_up(x, n) (((x) + (n) - 1) / (n) * (n))
#define round_down(x, n) ((x) / (n) * (n))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define SZ_4K 4096
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WARN_ON(x) (x)
#define WARN_ON_ONCE(x) (x)
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define EXPORT_SYMBOL(x) extern int bench_unused
#define EXPORT_SYMBOL_GPL(x) extern int bench_unused
#define MODULE_LICENSE(x) extern int bench_unused
#define MODULE_DESCRIPTION(x) extern int bench_unused
#define MODULE_AUTHOR(x) extern int bench_unused
#define module_exit(fn) extern int bench_unused
#define subsys_initcall(fn)                                                  \
	__attribute__((constructor)) static void bench_##fn(void)             \
	{                                                                     \
		fn();                                                         \
	}                                                                     \
	extern int bench_unused

#define IS_ENABLED(option) option
#define DEBUG 0
#define unrolled_full _Pragma("GCC unroll 65534")
#define CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS 1

static inline u32 rol32(u32 x, unsigned int n) { return x << n | x >> (32 - n); }
static inline u32 ror32(u32 x, unsigned int n) { return x >> n | x << (32 - n); }
static inline u64 get_unaligned_le64(const void *p) { u64 x; memcpy(&x, p, 8); return x; }
static inline void put_unaligned_le64(u64 x, void *p) { memcpy(p, &x, 8); }
static inline u32 get_unaligned_le32(const void *p) { u32 x; memcpy(&x, p, 4); return x; }
static inline void put_unaligned_le32(u32 x, void *p) { memcpy(p, &x, 4); }
#define cpu_to_le32_array(words, num) do { } while (0)
#define le32_to_cpu_array(words, num) do { } while (0)
#define cpu_to_le32(x) (x)
#define cpu_to_le64(x) (x)
#define get_unaligned(p)                                                     \
	({                                                                    \
		__typeof__(*(p)) value;                                       \
		memcpy(&value, p, sizeof(value));                             \
		value;                                                        \
	})
#define put_unaligned(x, p)                                                  \
	({                                                                    \
		__typeof__(*(p)) value = (x);                                 \
		memcpy(p, &value, sizeof(value));                             \
	})
static inline void memzero_explicit(void *p, size_t len)
{
	memset(p, 0, len);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

/* A branch that the kernel patches is a variable here. */
#define DEFINE_STATIC_KEY_FALSE(name) bool name
#define static_branch_likely(key) likely(*(key))
#define static_branch_enable(key) (*(key) = true)

#define X86_FEATURE_SSSE3 "ssse3"
#define X86_FEATURE_BMI2 "bmi2"
#define X86_FEATURE_ADX "adx"
#define X86_FEATURE_AVX "avx"
#define X86_FEATURE_AVX2 "avx2"
#define X86_FEATURE_AVX512F "avx512f"
#define X86_FEATURE_AVX512VL "avx512vl"
#define X86_FEATURE_AVX512BW "avx512bw"
#define boot_cpu_has(feature) (__builtin_cpu_init(), __builtin_cpu_supports(feature))
#define cpu_has_xfeatures(mask, name) true
#define INTEL_SKYLAKE_X 1
static const struct { unsigned int x86_vfm; } boot_cpu_data;
#define irq_fpu_usable() true
#define may_use_simd() true
#define kernel_fpu_begin() do { } while (0)
#define kernel_fpu_end() do { } while (0)

extern const u8 bench_zeros[64];
#define ZERO_PAGE(address) bench_zeros
#define page_address(page) ((const u8 *)(page))

/* What is scattered is not measured. */
struct scatterlist;
struct sg_mapping_iter { u8 *addr; size_t length; };
#define SG_MITER_TO_SG 0
#define SG_MITER_ATOMIC 0
#define sg_nents(list) 0
#define sg_miter_start(iter, list, num, flags) do { (void)(flags); } while (0)
static inline bool sg_miter_next(struct sg_mapping_iter *iter)
{
	(void)iter;
	__builtin_trap();
}
#define sg_miter_stop(iter) do { } while (0)
#define sg_copy_buffer(list, num, buffer, len, skip, to) __builtin_trap()

#else

#define SYM_FUNC_START(name) .globl name; .type name, @function; .balign 16; name:
#define SYM_FUNC_START_LOCAL(name) .type name, @function; .balign 16; name:
#define SYM_FUNC_END(name) .size name, . - name
#define FRAME_BEGIN
#define FRAME_END
#define RET ret

#endif

#endif
