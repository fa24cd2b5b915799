/** @file Transposing blocks of 4 by 4 and 16 by 16 floats in registers. */
#pragma once
#include "isa.h"
#if SAX_VECTOR_BYTES == 64 && defined(__x86_64__)
// GCC 12 takes the undefined registers inside its own intrinsics for mistakes (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

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

#if SAX_VECTOR_BYTES == 64 && defined(__x86_64__)
/** Transposes 16 registers of 16 floats. */
static inline void transpose16(__m512 r[16]) {
  __m512 t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  auto pd = [](__m512 v) { return _mm512_castps_pd(v); };
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m512 *s = t + 4 * i, *o = r + 4 * i;
    o[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(pd(s[0]), pd(s[2])));
    o[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(pd(s[0]), pd(s[2])));
    o[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(pd(s[1]), pd(s[3])));
    o[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(pd(s[1]), pd(s[3])));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0x88);
    r[8 + i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0xdd);
    r[4 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0x88);
    r[12 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

/** dst[k * width + w] = src[w * stride + k] for a block of 16 by 16. */
static inline void transpose16(float* dst, size_t width, const float* src, size_t stride) {
  __m512 r[16];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; i++) r[i] = _mm512_loadu_ps(src + i * stride);
  transpose16(r);
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; i++) _mm512_storeu_ps(dst + i * width, r[i]);
}
#else
static inline void transpose16(float* dst, size_t width, const float* src, size_t stride) {
  for (size_t k = 0; k < 16; k += 4)
    for (size_t w = 0; w < 16; w += 4) transpose4(dst + k * width + w, width, src + w * stride + k, stride);
}
#endif

SAX_END
