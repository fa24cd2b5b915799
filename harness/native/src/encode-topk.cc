/**
 * @file The k largest entries of each row of x · W + bias, tile by tile: a tile of the product is used up while it is in
 * cache, and the whole product [n, features] never exists. The sums run in the order of the matrix product.
 */
#include "gemm-tile.h"
#include "heap.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsPerTask = 96;    // with the tile below, what a thread works on stays in L2
constexpr size_t kColsPerTile = 1024;  // packed columns of W, shared by the threads: they stay in L3

struct Encoder {
  size_t n, d, features, k;
  const float *x, *W, *bias;
  Pair<float>* heaps;  // [n, k]
};

/** Packs columns [j0, j0 + cols) of W, each block of kDepth rows by strips. */
void packColumns(const Encoder& e, size_t j0, size_t cols, size_t stride, float* packed) {
  forTasks(stride / kTileCols, [&](size_t s) {
    size_t j = s * kTileCols;
    for (size_t d = 0; d < e.d; d += kDepth) {
      size_t now = least(kDepth, e.d - d);
      packStrip<kTileCols>(packed + d * stride + j * now, e.W + d * e.features + j0 + j, 1, e.features,
                           least(kTileCols, cols - j), now);
    }
  });
}

/** Rows [i0, i0 + rows) of one tile of the product, offered to the rows' heaps. */
void encodeRows(const Encoder& e, size_t i0, size_t rows, size_t j0, size_t cols, size_t stride, const float* packed) {
  float* a = static_cast<float*>(scratch(1, (kRowsPerTask + kTileRows) * kDepth * sizeof(float)));
  float* z = static_cast<float*>(scratch(2, kRowsPerTask * stride * sizeof(float)));
  for (size_t d = 0; d < e.d; d += kDepth) {
    size_t now = least(kDepth, e.d - d);
    for (size_t i = 0; i < rows; i += kTileRows)
      packStrip<kTileRows>(a + i * now, e.x + (i0 + i) * e.d + d, e.d, 1, least(kTileRows, rows - i), now);
    for (size_t j = 0; j < stride; j += kTileCols)
      for (size_t i = 0; i < rows; i += kTileRows)
        tileRows(least(kTileRows, rows - i), now, a + i * now, kTileRows, packed + d * stride + j * now, kTileCols,
                 z + i * stride + j, stride, kTileCols, d > 0);
  }
  for (size_t i = 0; i < rows; i++) {
    float* row = z + i * stride;
    const float* bias = e.bias + j0;
    for (size_t j = 0; j < cols; j++) row[j] += bias[j];
    offerRun(e.heaps + (i0 + i) * e.k, e.k, row, cols, j0);
  }
}

}  // namespace

/** Buffers: values, indices [n, k], x [n, d], W [d, features], bias [features]. Params: n, d ≥ 1, features, 1 ≤ k ≤ features. */
void encodeTopK(Call& c) {
  Encoder e{sizeParam(c, 0), sizeParam(c, 1), sizeParam(c, 2), sizeParam(c, 3), f32(c, 2), f32(c, 3), f32(c, 4), nullptr};
  if (!holds(c, 0, F32, e.n * e.k) || !holds(c, 1, I32, e.n * e.k) || !holds(c, 2, F32, e.n * e.d) ||
      !holds(c, 3, F32, e.d * e.features) || !holds(c, 4, F32, e.features))
    return;
  if (e.d < 1 || e.k < 1 || e.k > e.features) {
    c.error = "native encode and top k: k or the input width is out of range";
    return;
  }
  if (e.n == 0) return;
  e.heaps = static_cast<Pair<float>*>(scratch(3, e.n * e.k * sizeof(Pair<float>)));
  // Worse than any entry, a NaN too; as k ≤ features none is left at the end.
  for (size_t i = 0; i < e.n * e.k; i++) e.heaps[i] = {__builtin_nanf(""), INT32_MAX};
  size_t width = ceilDiv(least(e.features, kColsPerTile), kTileCols) * kTileCols;
  float* packed = static_cast<float*>(scratch(0, width * e.d * sizeof(float)));
  for (size_t j0 = 0; j0 < e.features; j0 += kColsPerTile) {
    size_t cols = least(kColsPerTile, e.features - j0), stride = ceilDiv(cols, kTileCols) * kTileCols;
    packColumns(e, j0, cols, stride, packed);
    forTasks(ceilDiv(e.n, kRowsPerTask), [&](size_t task) {
      size_t i0 = task * kRowsPerTask;
      encodeRows(e, i0, least(kRowsPerTask, e.n - i0), j0, cols, stride, packed);
    });
  }
  for (size_t i = 0; i < e.n; i++) drainHeap(e.heaps + i * e.k, e.k, f32(c, 0) + i * e.k, i32(c, 1) + i * e.k);
}

SAX_END
