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

/**
 * Of a gradient dy [depth, columns], contiguous along its columns, what passes an activation: numbers where `seen` is above its column's
 * floor. Counts as it goes, in double precision and in the order of the rows, what passes in each column, and what lies within half of
 * the floor: the gradients of a bias and of a threshold.
 */
struct Gate {
  const float* seen;    // laid out as dy
  const float* floors;  // by column
  float half;
  double *passed, *within;  // by column; `within` or null
};

/** Blocks on any CPU. words[l][p] are the pairs of line l, or with BY_PAIR words[p][l]. */
struct PlainBlocks {
  template <bool BY_PAIR>
  static void load(const BlockAt& at, uint32_t (*words)[16]) {
    pair<BY_PAIR>(words, [&](size_t l, size_t k) {
      return l < at.lines && k < at.depth ? at.view.p[(at.line + l) * at.view.row + (at.k + k) * at.view.col] : 0.0f;
    });
  }

  /** Of the lines, which are columns of dy, what passes. */
  static void loadPassing(const BlockAt& at, const Gate& gate, uint32_t (*words)[16]) {
    pair<true>(words, [&](size_t l, size_t k) {
      if (l >= at.lines || k >= at.depth) return 0.0f;
      size_t column = at.line + l, i = (at.k + k) * at.view.col + column;
      float dy = at.view.p[i], floor = gate.floors[column], gap = gate.seen[i] - floor, passing = gate.seen[i] > floor ? dy : 0.0f;
      gate.passed[column] += static_cast<double>(passing);
      if (gate.within && gap < gate.half && -gap < gate.half) gate.within[column] += static_cast<double>(dy);
      return passing;
    });
  }

 private:
  /** number(l, k), for each line in the order along the sum. */
  template <bool BY_PAIR, class Number>
  static void pair(uint32_t (*words)[16], const Number& number) {
    for (size_t l = 0; l < 16; l++)
      for (size_t p = 0; p < 16; p++) {
        uint32_t low = rounded(number(l, 2 * p)), high = rounded(number(l, 2 * p + 1));
        (BY_PAIR ? words[p][l] : words[l][p]) = low | high << 16;
      }
  }
};

#ifdef SAX_SCREENING
/** The same by the CPU's own conversion, of matrices that are contiguous one way or the other. */
struct FastBlocks {
  template <bool BY_PAIR>
  SAX_BF16 static void load(const BlockAt& at, uint32_t (*words)[16]) {
    const float* from = at.view.p + at.line * at.view.row + at.k * at.view.col;
    if (at.view.col != 1) {
      __mmask16 here = static_cast<__mmask16>((1u << at.lines) - 1);
      return across<BY_PAIR>(words, [&](size_t k) {
        return _mm512_maskz_loadu_ps(k < at.depth ? here : __mmask16{0}, from + k * at.view.col);
      });
    }
    __m512 block[16];
    uint32_t here = at.depth >= 32 ? 0xffffffffu : (1u << at.depth) - 1;
    for (size_t l = 0; l < 16; l++) {
      const float* line = from + l * at.view.row;
      block[l] = l >= at.lines ? _mm512_setzero_ps()
                               : pairs(_mm512_maskz_loadu_ps(static_cast<__mmask16>(here), line),
                                       _mm512_maskz_loadu_ps(static_cast<__mmask16>(here >> 16), line + 16));
    }
    put<BY_PAIR>(block, words);
  }

  SAX_BF16 static void loadPassing(const BlockAt& at, const Gate& gate, uint32_t (*words)[16]) {
    __mmask16 here = static_cast<__mmask16>((1u << at.lines) - 1);
    size_t first = at.k * at.view.col + at.line;
    __m512 floor = _mm512_maskz_loadu_ps(here, gate.floors + at.line), half = _mm512_set1_ps(gate.half);
    Sums passed(gate.passed + at.line, here), within(gate.within ? gate.within + at.line : gate.passed, gate.within ? here : 0);
    across<true>(words, [&](size_t k) {
      if (k >= at.depth) return _mm512_setzero_ps();
      __m512 dy = _mm512_maskz_loadu_ps(here, at.view.p + first + k * at.view.col);
      __m512 seen = _mm512_maskz_loadu_ps(here, gate.seen + first + k * at.view.col);
      if (gate.within) {
        __m512 distance = _mm512_abs_ps(_mm512_sub_ps(seen, floor));
        within.add(_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(distance, half, _CMP_LT_OQ), dy));
      }
      __m512 passing = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(seen, floor, _CMP_GT_OQ), dy);
      passed.add(passing);
      return passing;
    });
    passed.store();
    within.store();
  }

 private:
  /** Sums of up to 16 columns, in registers for a while. */
  struct Sums {
    double* to;
    __mmask8 low, high;
    __m512d sums[2];
    Sums(double* at, __mmask16 here) : to(at), low(static_cast<__mmask8>(here)), high(static_cast<__mmask8>(here >> 8)) {
      sums[0] = _mm512_maskz_loadu_pd(low, at);
      sums[1] = _mm512_maskz_loadu_pd(high, at + 8);
    }
    void add(__m512 x) {
      sums[0] = _mm512_add_pd(sums[0], _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
      sums[1] = _mm512_add_pd(sums[1], _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
    }
    void store() const {
      _mm512_mask_storeu_pd(to, low, sums[0]);
      _mm512_mask_storeu_pd(to + 8, high, sums[1]);
    }
  };

  /** Of 16 numbers each, the first in the lower halves. */
  SAX_BF16 static __m512 pairs(__m512 low, __m512 high) { return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high, low)); }

  /** row(k): number k along the sum of all lines. */
  template <bool BY_PAIR, class Row>
  SAX_BF16 static void across(uint32_t (*words)[16], const Row& row) {
    const __m512i mixed = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                           4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512 block[16];
    for (size_t p = 0; p < 16; p++) {
      __m512 low = row(2 * p), high = row(2 * p + 1);
      block[p] = _mm512_castsi512_ps(_mm512_permutexvar_epi16(mixed, _mm512_castps_si512(pairs(low, high))));
    }
    put<!BY_PAIR>(block, words);
  }

  template <bool TURNED>
  static void put(__m512* block, uint32_t (*words)[16]) {
    if (TURNED) transpose16(block);
    for (size_t l = 0; l < 16; l++) _mm512_storeu_ps(words[l], block[l]);
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

/** The same in strips of kPairCols as products read the columns of W; load(block, words) takes a block's words by pairs. */
template <class Load>
static inline void packColumnsBy(const View& b, size_t j, size_t j1, size_t k, size_t pairs, uint32_t* out, const Load& load) {
  alignas(64) uint32_t words[16][16];
  eachBlock(b, ceilDiv(j1 - j, kPairCols), pairs, [&](size_t s, size_t p) {
    for (size_t c = 0; c < kPairCols; c += 16) {
      size_t at = j + s * kPairCols + c;
      load(BlockAt{b, at, at < j1 ? least<size_t>(16, j1 - at) : 0, 2 * p, 2 * p < k ? k - 2 * p : 0}, words);
      uint32_t* to = out + s * kPairCols * pairs + p * kPairCols + c;
      for (size_t q = 0; q < least<size_t>(16, pairs - p); q++) __builtin_memcpy(to + q * kPairCols, words[q], sizeof words[q]);
    }
  });
}

template <class Blocks>
static inline void packColumns(const View& b, size_t j, size_t j1, size_t k, size_t pairs, uint32_t* out) {
  packColumnsBy(b, j, j1, k, pairs, out, [](const BlockAt& at, uint32_t (*words)[16]) { Blocks::template load<true>(at, words); });
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
