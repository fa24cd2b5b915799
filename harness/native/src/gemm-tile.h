/**
 * @file The inner parts of the matrix product: packing operands into strips, and the register tile. Design after GotoBLAS
 * and BLIS (Van Zee and van de Geijn 2015): B strips of kTileCols columns and A strips of kTileRows rows, both along k.
 */
#pragma once
#include "transpose.h"

SAX_BEGIN

// The accumulators fill the register file but for one row of B and one broadcast of A.
#if SAX_VECTOR_BYTES == 64
constexpr size_t kTileRows = 12, kTileVectors = 2;
#elif SAX_VECTOR_BYTES == 32
constexpr size_t kTileRows = 6, kTileVectors = 2;
#elif defined(__aarch64__)
constexpr size_t kTileRows = 8, kTileVectors = 2;
#else
constexpr size_t kTileRows = 4, kTileVectors = 2;
#endif
constexpr size_t kTileCols = kTileVectors * kLanes;
constexpr size_t kDepth = 256;  // k per packed block: a B strip stays in L1

/** A matrix seen through strides: element (i, k) is p[i * row + k * col]. */
struct View {
  const float* p;
  size_t row, col;
};

/** One strip: dst[k * W + w] = src[w * sw + k * sk] for w < count, zero for the rest of W. */
template <size_t W>
static inline void packStrip(float* dst, const float* src, size_t sw, size_t sk, size_t count, size_t depth) {
  if (count == W && sw == 1) {
    for (size_t k = 0; k < depth; k++)
      for (size_t w = 0; w < W; w++) dst[k * W + w] = src[k * sk + w];
    return;
  }
  if (sw == 1) {
    for (size_t k = 0; k < depth; k++) {
      for (size_t w = 0; w < count; w++) dst[k * W + w] = src[k * sk + w];
      for (size_t w = count; w < W; w++) dst[k * W + w] = 0.0f;
    }
    return;
  }
  size_t w = 0;
  if (sk == 1) {
    for (; w + 4 <= count; w += 4) {
      size_t k = 0;
      for (; k + 4 <= depth; k += 4) transpose4(dst + k * W + w, W, src + w * sw + k, sw);
      for (; k < depth; k++)
        for (size_t i = 0; i < 4; i++) dst[k * W + w + i] = src[(w + i) * sw + k];
    }
  }
  for (; w < count; w++)
    for (size_t k = 0; k < depth; k++) dst[k * W + w] = src[w * sw + k * sk];
  for (; w < W; w++)
    for (size_t k = 0; k < depth; k++) dst[k * W + w] = 0.0f;
}

/** One row of a strip of B, in registers. Other elements than floats have an overload where they are defined. */
template <size_t VECTORS>
static inline void loadRow(const float* b, vf* row) {
#pragma GCC unroll 4
  for (size_t v = 0; v < VECTORS; v++) row[v] = load(b + v * kLanes);
}

/** What a product brings into the cache on its way: nothing. */
struct Nothing {
  void bring() {}
};

/** What will be read next, a piece of `step` bytes at each row of B: a core waits long for memory, and the product does not. */
struct Ahead {
  const char* at;
  size_t step;
  void bring() {
    __builtin_prefetch(at, 0, 2);
    at += step;
  }
};

/**
 * C[ROWS, cols] (+)= A · B over `depth`, cols ≤ W = VECTORS · kLanes. Element (i, k) of A is a[i + k * step] or, with
 * IN_ROWS, a[i * step + k]: a packed strip has step kTileRows, and either layout can be read in place. B has rows `ldb`
 * elements apart, of which as many as hold W numbers must be readable.
 */
template <size_t ROWS, bool IN_ROWS, size_t VECTORS = kTileVectors, class E = float, class Next = Nothing>
static inline void tile(size_t depth, const float* a, size_t step, const E* b, size_t ldb, float* c, size_t ldc,
                        size_t cols, bool add, Next next = {}) {
  vf acc[ROWS][VECTORS] = {};
  for (size_t k = 0; k < depth; k++) {
    vf row[VECTORS];
    next.bring();
    loadRow<VECTORS>(b, row);
#pragma GCC unroll 16
    for (size_t i = 0; i < ROWS; i++) {
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) acc[i][v] += (IN_ROWS ? a[i * step] : a[i]) * row[v];
    }
    a += IN_ROWS ? 1 : step;
    b += ldb;
  }
  if (cols == VECTORS * kLanes) {
#pragma GCC unroll 16
    for (size_t i = 0; i < ROWS; i++) {
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) {
        float* at = c + i * ldc + v * kLanes;
        store(at, add ? load(at) + acc[i][v] : acc[i][v]);
      }
    }
    return;
  }
  alignas(64) float out[ROWS][VECTORS * kLanes];
#pragma GCC unroll 16
  for (size_t i = 0; i < ROWS; i++) {
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) *reinterpret_cast<vf*>(&out[i][v * kLanes]) = acc[i][v];
  }
  for (size_t i = 0; i < ROWS; i++) {
    float* at = c + i * ldc;
    size_t j = 0;
    for (; j + 4 <= cols; j += 4)
      for (size_t l = j; l < j + 4; l++) at[l] = add ? at[l] + out[i][l] : out[i][l];
    for (; j < cols; j++) at[j] = add ? at[j] + out[i][j] : out[i][j];
  }
}

/** `tile` for a number of rows known at run time, 1 … kTileRows. */
template <bool IN_ROWS = false, size_t VECTORS = kTileVectors, size_t ROWS = kTileRows, class E = float, class Next = Nothing>
static inline void tileRows(size_t rows, size_t depth, const float* a, size_t step, const E* b, size_t ldb, float* c,
                            size_t ldc, size_t cols, bool add, Next next = {}) {
  if (rows == ROWS) return tile<ROWS, IN_ROWS, VECTORS>(depth, a, step, b, ldb, c, ldc, cols, add, next);
  if constexpr (ROWS > 1)
    tileRows<IN_ROWS, VECTORS, ROWS - 1>(rows, depth, a, step, b, ldb, c, ldc, cols, add, next);
}

SAX_END
