/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel's cryptography takes from elsewhere in the kernel, and what is inline there. */
#include <crypto/blake2s.h>

#include "crypto_kernel.h"

void bench_linux_blake2s(u8 *out, const u8 *in, size_t len);
void bench_linux_blake2s(u8 *out, const u8 *in, size_t len)
{
	blake2s(NULL, 0, in, len, out, 32);
}

const u8 bench_zeros[64];

void __crypto_xor(u8 *dst, const u8 *src1, const u8 *src2, unsigned int size);
void __crypto_xor(u8 *dst, const u8 *src1, const u8 *src2, unsigned int size)
{
	for (; size >= 8; size -= 8, dst += 8, src1 += 8, src2 += 8) {
		u64 a, b;

		memcpy(&a, src1, 8);
		memcpy(&b, src2, 8);
		a ^= b;
		memcpy(dst, &a, 8);
	}
	while (size--)
		*dst++ = *src1++ ^ *src2++;
}

unsigned long __crypto_memneq(const void *a, const void *b, size_t size);
unsigned long __crypto_memneq(const void *a, const void *b, size_t size)
{
	const u8 *x = a, *y = b;
	unsigned long differ = 0;

	while (size--)
		differ |= *x++ ^ *y++;
	return differ;
}
