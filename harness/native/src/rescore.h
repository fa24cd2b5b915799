/**
 * @file Single entries of x · W with the bits of the float32 kernel: each is one chain of fused multiply-adds along d,
 * broken every kDepth elements as the packed blocks of the matrix product are. 16 entries run side by side in the lanes.
 */
#pragma once
#include "bfloat.h"

#ifdef SAX_SCREENING

SAX_BEGIN

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

/**
 * out[l] = Σ rows[l][i] · strip[i * 32 + column[l]] for 16 lanes l; `strip` holds 32 columns of W, d deep.
 */
static inline void rescore16(const float* const rows[16], const int32_t column[16], const float* strip, size_t d,
                             float out[16]) {
  __m512i pick = _mm512_loadu_si512(column);
  __m512 total = _mm512_setzero_ps();
  for (size_t block = 0; block < d; block += kDepth) {
    size_t end = least(d, block + kDepth);
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = block; i < end; i += 16) {
      size_t now = least<size_t>(16, end - i);
      __mmask16 here = static_cast<__mmask16>((1u << now) - 1);
      __m512 a[16];
#pragma GCC unroll 16
      for (int l = 0; l < 16; l++) a[l] = _mm512_maskz_loadu_ps(here, rows[l] + i);
      transpose16(a);
      const float* w = strip + i * 32;
#pragma GCC unroll 16
      for (size_t s = 0; s < 16; s++) {
        if (s >= now) break;
        __m512 b = _mm512_permutex2var_ps(_mm512_load_ps(w + s * 32), pick, _mm512_load_ps(w + s * 32 + 16));
        sum = _mm512_fmadd_ps(a[s], b, sum);
      }
    }
    total = block == 0 ? sum : _mm512_add_ps(total, sum);
  }
  _mm512_storeu_ps(out, total);
}

SAX_END

#endif
