/**
 * @file Single entries of x · W with the bits of the float32 kernel: each is one chain of fused multiply-adds along d,
 * broken every kDepth elements as the packed blocks of the matrix product are. 16 entries run side by side in the lanes.
 */
#pragma once
#include "bfloat.h"

#ifdef SAX_SCREENING

SAX_BEGIN

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
