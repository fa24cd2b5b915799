/**
 * @file Products of bfloat16 by the tiles of AMX, and by a model of its instructions in plain C++ that rounds as they do, so that
 * all that is built on them is tested on any CPU.
 */
#pragma once
#include "isa.h"

#if SAX_VECTOR_BYTES == 64 && defined(__x86_64__) && defined(__linux__) && (__GNUC__ >= 11 || __clang_major__ >= 12)
#define SAX_WITH_AMX 1
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers inside its own intrinsics for mistakes (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
/** Code for CPUs with AMX, inside the sources compiled for AVX-512: called only where `hasTiles`. */
#define SAX_AMX __attribute__((target("amx-tile,amx-bf16")))
#else
#define SAX_AMX
#endif

SAX_BEGIN

constexpr size_t kTileSide = 16;                      // rows of a tile; each holds 16 floats, or 16 pairs of bfloat16
constexpr size_t kTileWords = kTileSide * kTileSide;  // of 32 bits
constexpr size_t kTileStep = kTileSide * sizeof(float);

/** The model: eight tiles in memory. Numbers of a tile are words of 32 bits. */
class TileModel {
 public:
  template <int T>
  void zero() {
    __builtin_memset(tiles[T], 0, sizeof tiles[T]);
  }
  /** Reads 16 rows of 64 bytes, `step` bytes apart. */
  template <int T>
  void load(const void* from, size_t step) {
    for (size_t r = 0; r < kTileSide; r++)
      __builtin_memcpy(tiles[T][r], static_cast<const char*>(from) + r * step, sizeof tiles[T][r]);
  }
  template <int T>
  void store(void* to, size_t step) const {
    for (size_t r = 0; r < kTileSide; r++) __builtin_memcpy(static_cast<char*>(to) + r * step, tiles[T][r], sizeof tiles[T][r]);
  }
  /**
   * TDPBF16PS: C += A · B, rows of A and columns of B in pairs along the sum. The first numbers of the pairs are one chain of fused
   * multiply-adds from 0 on, the second ones another; the sum of both is added to C. Rounds to nearest, and what is
   * below 2^-126 counts as 0 wherever it comes up.
   */
  template <int C, int A, int B>
  void multiply() {
    for (size_t m = 0; m < kTileSide; m++)
      for (size_t n = 0; n < kTileSide; n++) {
        float even = 0, odd = 0;
        for (size_t k = 0; k < kTileSide; k++) {
          uint32_t a = tiles[A][m][k], b = tiles[B][k][n];
          even = normal(__builtin_fmaf(number(a << 16), number(b << 16), even));
          odd = normal(__builtin_fmaf(number(a & 0xffff0000u), number(b & 0xffff0000u), odd));
        }
        float sum = normal(number(tiles[C][m][n]) + normal(even + odd));
        __builtin_memcpy(&tiles[C][m][n], &sum, sizeof sum);
      }
  }

 private:
  uint32_t tiles[8][kTileSide][kTileSide];

  static float normal(float x) { return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0.0f, x) : x; }
  static float number(uint32_t bits) {
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return normal(x);
  }
};

#ifdef SAX_WITH_AMX
/** The instructions; the tiles are the calling thread's while this lives. */
class AmxTiles {
 public:
  SAX_AMX AmxTiles() {
    // Constant, since GCC 12's intrinsic does not tell the compiler how much of it is read.
    struct alignas(64) Shapes {
      uint8_t palette, start, reserved[14];
      uint16_t rowBytes[16];
      uint8_t rows[16];
    };
    static constexpr Shapes shapes = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    static_assert(sizeof(Shapes) == 64);
    _tile_loadconfig(&shapes);
  }
  /** A thread that holds tiles is slower to switch. */
  SAX_AMX ~AmxTiles() { _tile_release(); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  // The intrinsics take literal numbers of tiles only.
  template <int T>
  SAX_AMX void zero() {
    if constexpr (T == 0) _tile_zero(0);
    else if constexpr (T == 1) _tile_zero(1);
    else if constexpr (T == 2) _tile_zero(2);
    else _tile_zero(3);
  }
  template <int T>
  SAX_AMX void load(const void* from, size_t step) {
    if constexpr (T == 0) _tile_loadd(0, from, step);
    else if constexpr (T == 1) _tile_loadd(1, from, step);
    else if constexpr (T == 2) _tile_loadd(2, from, step);
    else if constexpr (T == 3) _tile_loadd(3, from, step);
    else if constexpr (T == 4) _tile_loadd(4, from, step);
    else if constexpr (T == 5) _tile_loadd(5, from, step);
    else if constexpr (T == 6) _tile_loadd(6, from, step);
    else _tile_loadd(7, from, step);
  }
  template <int T>
  SAX_AMX void store(void* to, size_t step) const {
    if constexpr (T == 0) _tile_stored(0, to, step);
    else if constexpr (T == 1) _tile_stored(1, to, step);
    else if constexpr (T == 2) _tile_stored(2, to, step);
    else _tile_stored(3, to, step);
  }
  template <int C, int A, int B>
  SAX_AMX void multiply() {
    static_assert(C == (A - 4) * 2 + (B - 6));
    if constexpr (C == 0) _tile_dpbf16ps(0, 4, 6);
    else if constexpr (C == 1) _tile_dpbf16ps(1, 4, 7);
    else if constexpr (C == 2) _tile_dpbf16ps(2, 5, 6);
    else _tile_dpbf16ps(3, 5, 7);
  }
};
static inline bool hasTiles() { return mayUseTiles(); }
#else
/** Never used. */
using AmxTiles = TileModel;
static inline bool hasTiles() { return false; }
#endif

constexpr size_t kBlockSide = 2 * kTileSide;  // of the square of C that four tiles hold

/**
 * values[r * stride + c] = a block of 32 rows of x by one of 32 columns of W over pairs [from, to), added to what stands there where
 * `from` is not 0. Both are `pairs` pairs deep; all three are multiples of 16. x lies as two rows of tiles, each `pairs` · 16 words; W
 * as word p * 32 + c.
 */
template <class Tiles>
SAX_AMX static inline void blockProduct(Tiles& tiles, const uint32_t* x, const uint32_t* W, size_t pairs, size_t from, size_t to,
                                        float* values, size_t stride) {
  size_t step = stride * sizeof(float);
  float* lower = values + kTileSide * stride;
  if (from == 0) {
    tiles.template zero<0>();
    tiles.template zero<1>();
    tiles.template zero<2>();
    tiles.template zero<3>();
  } else {
    tiles.template load<0>(values, step);
    tiles.template load<1>(values + kTileSide, step);
    tiles.template load<2>(lower, step);
    tiles.template load<3>(lower + kTileSide, step);
  }
  x += from * kTileSide, W += from * kBlockSide;
  for (size_t p = from; p < to; p += kTileSide, x += kTileWords, W += kTileSide * kBlockSide) {
    tiles.template load<4>(x, kTileStep);
    tiles.template load<5>(x + pairs * kTileSide, kTileStep);
    tiles.template load<6>(W, 2 * kTileStep);
    tiles.template load<7>(W + kTileSide, 2 * kTileStep);
    tiles.template multiply<0, 4, 6>();
    tiles.template multiply<1, 4, 7>();
    tiles.template multiply<2, 5, 6>();
    tiles.template multiply<3, 5, 7>();
  }
  tiles.template store<0>(values, step);
  tiles.template store<1>(values + kTileSide, step);
  tiles.template store<2>(lower, step);
  tiles.template store<3>(lower + kTileSide, step);
}

SAX_END
