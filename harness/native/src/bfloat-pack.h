/**
 * @file Float32 matrices rounded to bfloat16 and put down as products read them (TileProducts, DotProducts): blocks of 16 lines by
 * 16 pairs along the sum, taken from a matrix that is contiguous along its lines or across them.
 */
#pragma once
#include "bfloat.h"

SAX_BEGIN

/** To nearest, ties to even; subnormal numbers become 0, as the CPU's own conversion has it. */
static inline uint32_t rounded(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return bits >> 16 | 0x40;
  if (magnitude < 0x00800000u) return bits >> 16 & 0x8000;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/** Where a block begins in a matrix, and how much of it there is: the rest is zeros. */
struct BlockAt {
  View view;
  size_t line, lines;  // lines ≤ 16
  size_t k, depth;     // numbers along the sum, from the block's first to the end of the matrix
};

/** Blocks on any CPU. words[l][p] are the pairs of line l, or with BY_PAIR words[p][l]. */
struct PlainBlocks {
  template <bool BY_PAIR>
  static void load(const BlockAt& at, uint32_t (*words)[16]) {
    for (size_t l = 0; l < 16; l++)
      for (size_t p = 0; p < 16; p++) {
        auto number = [&](size_t k) {
          return l < at.lines && k < at.depth ? rounded(at.view.p[(at.line + l) * at.view.row + (at.k + k) * at.view.col]) : 0;
        };
        (BY_PAIR ? words[p][l] : words[l][p]) = number(2 * p) | number(2 * p + 1) << 16;
      }
  }
};

#ifdef SAX_SCREENING
/** The same by the CPU's own conversion, of matrices that are contiguous one way or the other. */
struct FastBlocks {
  template <bool BY_PAIR>
  SAX_BF16 static void load(const BlockAt& at, uint32_t (*words)[16]) {
    bool along = at.view.col == 1;
    __m512 block[16];
    const float* from = at.view.p + at.line * at.view.row + at.k * at.view.col;
    if (along) {
      uint32_t here = at.depth >= 32 ? 0xffffffffu : (1u << at.depth) - 1;
      for (size_t l = 0; l < 16; l++)
        block[l] = l < at.lines ? pairs(from + l * at.view.row, here, from + l * at.view.row + 16, here >> 16) : _mm512_setzero_ps();
    } else {
      const __m512i mixed = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                                             20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
      uint32_t here = (1u << at.lines) - 1;
      for (size_t p = 0; p < 16; p++) {
        const float* row = from + 2 * p * at.view.col;
        __m512 two = pairs(row, 2 * p < at.depth ? here : 0, row + at.view.col, 2 * p + 1 < at.depth ? here : 0);
        block[p] = _mm512_castsi512_ps(_mm512_permutexvar_epi16(mixed, _mm512_castps_si512(two)));
      }
    }
    if (along == BY_PAIR) transpose16(block);
    for (size_t l = 0; l < 16; l++) _mm512_storeu_ps(words[l], block[l]);
  }

 private:
  /** 16 numbers each, zeros where the mask has none; the first in the lower half. */
  SAX_BF16 static __m512 pairs(const float* low, uint32_t lowMask, const float* high, uint32_t highMask) {
    __m512 a = _mm512_maskz_loadu_ps(static_cast<__mmask16>(lowMask), low);
    __m512 b = _mm512_maskz_loadu_ps(static_cast<__mmask16>(highMask), high);
    return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(b, a));
  }
};
#endif

/** Strips that are packed together: where a matrix is contiguous across its lines, runs of 1 KiB are read. */
constexpr size_t kStripsTogether = 8;

/** f(strip, p) for every strip and every 16th pair, in the order that reads the longest runs of memory. */
template <class F>
static inline void eachBlock(const View& view, size_t strips, size_t pairs, const F& f) {
  if (view.col == 1)
    for (size_t s = 0; s < strips; s++)
      for (size_t p = 0; p < pairs; p += 16) f(s, p);
  else
    for (size_t p = 0; p < pairs; p += 16)
      for (size_t s = 0; s < strips; s++) f(s, p);
}

/** Lines [i, i1) of a matrix, in strips of P::kRows, as P multiplies them from the left; zeros beyond the last. */
template <class P, class Blocks>
static inline void packLines(const View& a, size_t i, size_t i1, size_t k, size_t pairs, uint32_t* out) {
  alignas(64) uint32_t words[16][16];
  eachBlock(a, ceilDiv(i1 - i, P::kRows), pairs, [&](size_t s, size_t p) {
    uint32_t* to = out + s * P::kRows * pairs;
    for (size_t r = 0; r < P::kRows; r += 16) {
      size_t at = i + s * P::kRows + r, part = least<size_t>(16, P::kRows - r);
      Blocks::template load<false>({a, at, at < i1 ? least(part, i1 - at) : 0, 2 * p, 2 * p < k ? k - 2 * p : 0}, words);
      for (size_t l = 0; l < part; l++) P::place(to, pairs, r + l, p, words[l]);
    }
  });
}

/** The same in strips of kPairCols as products read the columns of W. */
template <class Blocks>
static inline void packColumns(const View& b, size_t j, size_t j1, size_t k, size_t pairs, uint32_t* out) {
  alignas(64) uint32_t words[16][16];
  eachBlock(b, ceilDiv(j1 - j, kPairCols), pairs, [&](size_t s, size_t p) {
    for (size_t c = 0; c < kPairCols; c += 16) {
      size_t at = j + s * kPairCols + c;
      Blocks::template load<true>({b, at, at < j1 ? least<size_t>(16, j1 - at) : 0, 2 * p, 2 * p < k ? k - 2 * p : 0}, words);
      uint32_t* to = out + s * kPairCols * pairs + p * kPairCols + c;
      for (size_t q = 0; q < least<size_t>(16, pairs - p); q++) __builtin_memcpy(to + q * kPairCols, words[q], sizeof words[q]);
    }
  });
}

/**
 * f(products, blocks) for those that a call asks for by `BfloatProducts`: the best that there is, never the model unless it is named.
 * An error where this CPU has them not.
 */
template <class F>
static inline void servedBy(Call& c, double by, const F& f) {
  if (by == ByModel) return f(TileProducts<TileModel>{}, PlainBlocks{});
#ifdef SAX_SCREENING
  if (hasDots()) {
    if (by == ByBest ? hasTiles() : by == ByTiles && hasTiles()) return f(TileProducts<AmxTiles>{}, FastBlocks{});
    if (by == ByBest || by == ByDots) return f(DotProducts{}, FastBlocks{});
  }
#endif
  c.error = "native kernel: this CPU has no such products of bfloat16";
}

SAX_END
