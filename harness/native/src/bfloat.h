/**
 * @file Products of bfloat16 by dot products (AVX512-BF16) or by tiles (AMX); and for those that only screen, which say what entries of a
 * float32 product need not be computed, how far each operand is from its float32 original.
 */
#pragma once
#include "encoder.h"
#include "tiles.h"

SAX_BEGIN

constexpr size_t kPairCols = 32;  // columns of a strip of W

/**
 * Products by tiles, or by their model. kRows rows of x are multiplied at once, and lie in kRows · pairs words from word row · pairs on; a
 * strip of W has word p · kPairCols + c for elements 2p and 2p + 1 of column c. A Session holds what a thread needs for products.
 */
template <class Tiles>
struct TileProducts {
  static constexpr size_t kRows = kBlockSide;
  static_assert(kPairCols == kBlockSide);
  static size_t pairsOf(size_t d) { return ceilDiv(d, 2 * kTileSide) * kTileSide; }
  using Session = Tiles;

  /** Where pair p of row r lies, and those after it up to a multiple of 16. */
  static uint32_t* placeOf(uint32_t* out, size_t pairs, size_t r, size_t p) {
    return out + r / kTileSide * kTileSide * pairs + p / kTileSide * kTileWords + r % kTileSide * kTileSide + p % kTileSide;
  }
  /** Puts down pairs p … p + 15 of row r; p is a multiple of 16. */
  static void place(uint32_t* out, size_t pairs, size_t r, size_t p, const uint32_t words[16]) {
    __builtin_memcpy(placeOf(out, pairs, r, p), words, kTileStep);
  }

  /**
   * values[r * stride + c]: every row by each of kPairCols columns, `pairs` deep; of that pairs [from, to), added to what is there
   * where `from` is not 0. With `from` and `to` multiples of 16 the sum is the same in parts as in one.
   */
  static void multiply(Session& tiles, const uint32_t* x, const uint32_t* W, size_t pairs, size_t from, size_t to, float* values,
                       size_t stride) {
    blockProduct(tiles, x, W, pairs, from, to, values, stride);
  }
};

SAX_END

#if SAX_VECTOR_BYTES == 64 && defined(__x86_64__) && (__GNUC__ >= 10 || __clang_major__ >= 9)
#define SAX_SCREENING 1
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers inside its own intrinsics for mistakes (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
/** Code for CPUs with AVX512-BF16, inside the sources compiled for AVX-512: called only where the CPU has it. */
#define SAX_BF16 __attribute__((target("avx512bf16")))

SAX_BEGIN

static inline bool hasDots() { return __builtin_cpu_supports("avx512bf16"); }

/** Upper bounds of ‖v‖ and of ‖v − bf16(v)‖ for one row of x or one column of W. */
struct Norms {
  float whole, lost;
};

constexpr size_t kScreenDepth = 1 << 13;  // largest d that the bounds here are made for

/**
 * A bound from a sum of squares taken in float32: with at most 2^13 additions one after another it is off by less than a
 * part in 2^11, and by the squares that underflow, 2^-126 each. Not finite where the sum is not.
 */
static inline float normBound(float sumOfSquares) { return __builtin_sqrtf(sumOfSquares) * (1 + 0x1p-10f) + 0x1p-54f; }

/** Beyond this a norm is no basis for a bound: products could overflow. Also where the norm is NaN. */
static inline bool isWild(const Norms& norms) { return !(norms.whole <= 0x1p60f); }

/** 16 floats as bfloat16 in the low halves of the lanes; adds their squares and those of what rounding took away. */
SAX_BF16 static inline __m512i narrow(__m512 v, __m512& whole, __m512& lost) {
  __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(v));
  // The difference of a float and its bfloat16 neighbour is a float; subnormals, flushed here, are within the bound's slack.
  __m512 gone = _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(low, 16)));
  whole = _mm512_fmadd_ps(v, v, whole);
  lost = _mm512_fmadd_ps(gone, gone, lost);
  return low;
}

/**
 * A strip of kPairCols columns of W, whose rows are `step` apart: out[p * kPairCols + c] holds elements 2p and 2p + 1 of column c,
 * with zeros for columns from `count` on and beyond d.
 */
SAX_BF16 static inline void pairColumns(uint32_t* out, const float* W, size_t step, size_t d, size_t pairs, size_t count, Norms* norms) {
  __mmask32 all = count >= 32 ? 0xffffffffu : (1u << count) - 1;
  __mmask16 half[2] = {static_cast<__mmask16>(all), static_cast<__mmask16>(all >> 16)};
  __m512 whole[2] = {}, lost[2] = {};
  for (size_t i = 0; i < d; i += 2) {
    for (size_t v = 0; v < 2; v++) {
      __m512i low = narrow(_mm512_maskz_loadu_ps(half[v], W + i * step + v * 16), whole[v], lost[v]);
      __m512i high = _mm512_setzero_si512();
      if (i + 1 < d) high = narrow(_mm512_maskz_loadu_ps(half[v], W + (i + 1) * step + v * 16), whole[v], lost[v]);
      _mm512_storeu_si512(out + i / 2 * kPairCols + v * 16, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
  }
  size_t filled = ceilDiv(d, size_t{2});
  __builtin_memset(out + filled * kPairCols, 0, (pairs - filled) * kPairCols * sizeof(uint32_t));
  alignas(64) float sums[2][32];
  for (size_t v = 0; v < 2; v++) {
    _mm512_store_ps(sums[0] + v * 16, whole[v]);
    _mm512_store_ps(sums[1] + v * 16, lost[v]);
  }
  for (size_t c = 0; c < kPairCols; c++) norms[c] = {normBound(sums[0][c]), normBound(sums[1][c])};
}

/** Products by AVX512-BF16, likewise; word p · kRows + r of kRows rows of x. */
struct DotProducts {
  static constexpr size_t kRows = 12;  // as in the float32 tile: 24 accumulators
  static size_t pairsOf(size_t d) { return ceilDiv(d, size_t{2}); }
  struct Session {};

  static void place(uint32_t* out, size_t pairs, size_t r, size_t p, const uint32_t words[16]) {
    for (size_t q = 0; q < 16 && p + q < pairs; q++) out[(p + q) * kRows + r] = words[q];
  }

  SAX_BF16 static void multiply(Session&, const uint32_t* x, const uint32_t* W, size_t, size_t from, size_t to, float* values,
                                size_t stride) {
    __m512 acc[kRows][2] = {};
    if (from > 0) {
#pragma GCC unroll 12
      for (size_t r = 0; r < kRows; r++) {
        acc[r][0] = _mm512_load_ps(values + r * stride);
        acc[r][1] = _mm512_load_ps(values + r * stride + 16);
      }
    }
    for (size_t p = from; p < to; p++) {
      __m512bh w0 = (__m512bh)_mm512_loadu_si512(W + p * kPairCols), w1 = (__m512bh)_mm512_loadu_si512(W + p * kPairCols + 16);
#pragma GCC unroll 12
      for (size_t r = 0; r < kRows; r++) {
        __m512bh a = (__m512bh)_mm512_set1_epi32(static_cast<int>(x[p * kRows + r]));
        acc[r][0] = _mm512_dpbf16_ps(acc[r][0], a, w0);
        acc[r][1] = _mm512_dpbf16_ps(acc[r][1], a, w1);
      }
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < kRows; r++) {
      _mm512_store_ps(values + r * stride, acc[r][0]);
      _mm512_store_ps(values + r * stride + 16, acc[r][1]);
    }
  }
};

/** Packs rows of x for Products, zeros for those from `count` on and beyond d. */
template <class Products>
SAX_BF16 static inline void packRowsFor(uint32_t* out, const float* x, size_t d, size_t pairs, size_t count, Norms* norms) {
  alignas(64) uint32_t words[16];
  const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
  for (size_t r = 0; r < Products::kRows; r++) {
    __m512 whole = _mm512_setzero_ps(), lost = _mm512_setzero_ps();
    for (size_t i = 0; i < 2 * pairs; i += 32) {
      uint32_t here = r >= count || i >= d ? 0 : d - i >= 32 ? 0xffffffffu : (1u << (d - i)) - 1;
      const float* from = here == 0 ? x : x + r * d + i;
      __m512i low = narrow(_mm512_maskz_loadu_ps(static_cast<__mmask16>(here), from), whole, lost);
      __m512i high = narrow(_mm512_maskz_loadu_ps(static_cast<__mmask16>(here >> 16), from + 16), whole, lost);
      __m512i even = _mm512_permutex2var_epi32(low, evens, high), odd = _mm512_permutex2var_epi32(low, odds, high);
      _mm512_store_si512(words, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
      Products::place(out, pairs, r, i / 2, words);
    }
    if (r < count) norms[r] = {normBound(_mm512_reduce_add_ps(whole)), normBound(_mm512_reduce_add_ps(lost))};
  }
}

/** f(Products{}) for those that screening takes. */
template <class F>
static inline size_t withProducts(const F& f) {
  switch (screeningProducts()) {
    case ByModel: return f(TileProducts<TileModel>{});
    case ByTiles: return f(TileProducts<AmxTiles>{});
    default: return f(DotProducts{});
  }
}

/** A row's part of the bound that screen.cc proves: an entry is off by at most a · ‖δw‖ + b · ‖w‖ + 4u |bias| + 2^-108. */
struct RowMargin {
  float a, b;
};

static inline RowMargin rowMargin(const Norms& norms, size_t d) {
  float gamma = 6.0f * static_cast<float>(d + 64) * 0x1p-24f, near = norms.whole + norms.lost;
  return {near * (1 + gamma), norms.lost + gamma * near};
}

/** Carves the next `count` elements out of a block; with a null block only counts the bytes. */
struct Carver {
  char* block;
  size_t used;
  template <class T>
  T* take(size_t count) {
    T* at = reinterpret_cast<T*>(block + used);
    used += ceilDiv(count * sizeof(T), size_t{64}) * 64;
    return block ? at : nullptr;
  }
};

SAX_END
#endif
