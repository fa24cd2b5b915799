/** @file Transposing a 4 by 4 block of floats in registers. */
#pragma once
#include "isa.h"

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SAX_SHUFFLE 1
#endif
#endif

SAX_BEGIN

#ifdef SAX_SHUFFLE
/** dst[k * width + w] = src[w * stride + k] for a block of 4 by 4. */
static inline void transpose4(float* dst, size_t width, const float* src, size_t stride) {
  v4 a = *(const v4*)(src), b = *(const v4*)(src + stride);
  v4 c = *(const v4*)(src + 2 * stride), d = *(const v4*)(src + 3 * stride);
  v4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  v4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(v4*)(dst) = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
  *(v4*)(dst + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
  *(v4*)(dst + 2 * width) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
  *(v4*)(dst + 3 * width) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
}
#else
static inline void transpose4(float* dst, size_t width, const float* src, size_t stride) {
  for (int k = 0; k < 4; k++)
    for (int w = 0; w < 4; w++) dst[k * width + w] = src[w * stride + k];
}
#endif

SAX_END
