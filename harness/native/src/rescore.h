/**
 * @file Scattered entries of x · W with the bits of the float32 kernel: each is one chain of fused multiply-adds along d,
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

/** An entry of a product: first a bound on its value, or none, after rescoring the value. */
struct Candidate {
  float value;
  int32_t column;
};

/** Candidates of n rows, at most `room` of each one after another; `order` has room for all, `starts` for one number a strip and one more. */
struct CandidateLists {
  Candidate* all;
  size_t n, room;
  uint32_t *starts, *order;
};

/** Up to 32 columns of a matrix [d, ..], whose rows are `across` floats apart. */
struct Strip {
  const float* W;
  size_t across, columns;
};

/**
 * The float32 values of all candidates of x [n, d] · W, strip of 32 columns by strip, so that W is read once. `countOf(i)`: candidates
 * of row i; `stripOf(b)`: the strip of columns 32 b …; `settle(candidate, sum)` takes each value.
 */
template <class Count, class Of, class Settle>
static inline void rescoreLists(const CandidateLists& lists, const float* x, size_t d, size_t strips, const Count& countOf,
                                const Of& stripOf, const Settle& settle) {
  __builtin_memset(lists.starts, 0, (strips + 1) * sizeof(uint32_t));
  auto each = [&](auto f) {
    for (size_t i = 0; i < lists.n; i++)
      for (size_t c = i * lists.room, end = c + countOf(i); c < end; c++) f(lists.all[c].column / 32, c);
  };
  each([&](size_t strip, size_t) { lists.starts[strip + 1]++; });
  for (size_t b = 0; b < strips; b++) lists.starts[b + 1] += lists.starts[b];
  each([&](size_t strip, size_t c) { lists.order[lists.starts[strip]++] = static_cast<uint32_t>(c); });
  // Filling has moved each start to the next one's place.
  forTasks(strips, [&](size_t b) {
    uint32_t from = b == 0 ? 0 : lists.starts[b - 1], to = lists.starts[b];
    if (from == to) return;
    Strip source = stripOf(b);
    float* strip = static_cast<float*>(scratch(2, d * 32 * sizeof(float)));
    packStrip<32>(strip, source.W, 1, source.across, source.columns, d);
    for (uint32_t p = from; p < to; p += 16) {
      const float* rows[16];
      int32_t column[16];
      float sums[16];
      for (uint32_t l = 0; l < 16; l++) {
        uint32_t c = lists.order[least(p + l, to - 1)];
        rows[l] = x + c / lists.room * d;
        column[l] = lists.all[c].column % 32;
      }
      rescore16(rows, column, strip, d, sums);
      for (uint32_t l = 0; l < least<uint32_t>(16, to - p); l++) settle(lists.all[lists.order[p + l]], sums[l]);
    }
  });
}

SAX_END

#endif
