/**
 * @file The k largest entries of each row of x · W + bias, tile by tile: a tile of the product is used up while it is in
 * cache, and the whole product [n, features] never exists. The sums run in the order of the matrix product.
 */
#include "encoder.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsPerTask = 96;    // with the tile below, what a thread works on stays in L2
constexpr size_t kColsPerTile = 1024;  // packed columns of W, shared by the threads: they stay in L3

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
void encodeRows(const Encoder& e, Pair<float>* heaps, size_t i0, size_t rows, size_t j0, size_t cols, size_t stride,
                const float* packed) {
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
    offerRun(heaps + (i0 + i) * e.k, e.k, row, cols, j0);
  }
}

/** Every row in float32. */
void encodeAll(const Encoder& e) {
  Pair<float>* heaps = static_cast<Pair<float>*>(scratch(3, e.n * e.k * sizeof(Pair<float>)));
  // Worse than any entry, a NaN too; as k ≤ features none is left at the end.
  for (size_t i = 0; i < e.n * e.k; i++) heaps[i] = {__builtin_nanf(""), INT32_MAX};
  size_t width = ceilDiv(least(e.features, kColsPerTile), kTileCols) * kTileCols;
  float* packed = static_cast<float*>(scratch(0, width * e.d * sizeof(float)));
  for (size_t j0 = 0; j0 < e.features; j0 += kColsPerTile) {
    size_t cols = least(kColsPerTile, e.features - j0), stride = ceilDiv(cols, kTileCols) * kTileCols;
    packColumns(e, j0, cols, stride, packed);
    forTasks(ceilDiv(e.n, kRowsPerTask), [&](size_t task) {
      size_t i0 = task * kRowsPerTask;
      encodeRows(e, heaps, i0, least(kRowsPerTask, e.n - i0), j0, cols, stride, packed);
    });
  }
  forRange(e.n, 64, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) drainHeap(heaps + i * e.k, e.k, e.values + i * e.k, e.indices + i * e.k);
  });
}

/** The rows marked in `undone`, `count` of them, gathered, encoded and put back. */
void encodeMarked(const Encoder& e, const uint8_t* undone, size_t count) {
  // `undone` is in slot 5; what screening kept in slot 4 is no longer needed.
  float* x = static_cast<float*>(scratch(4, count * (e.d + 2 * e.k) * sizeof(float)));
  float* values = x + count * e.d;
  int32_t* indices = reinterpret_cast<int32_t*>(values + count * e.k);
  size_t at = 0;
  for (size_t i = 0; i < e.n; i++)
    if (undone[i]) __builtin_memcpy(x + at++ * e.d, e.x + i * e.d, e.d * sizeof(float));
  Encoder part = e;
  part.n = count;
  part.x = x;
  part.values = values;
  part.indices = indices;
  encodeAll(part);
  at = 0;
  for (size_t i = 0; i < e.n; i++) {
    if (!undone[i]) continue;
    __builtin_memcpy(e.values + i * e.k, values + at * e.k, e.k * sizeof(float));
    __builtin_memcpy(e.indices + i * e.k, indices + at * e.k, e.k * sizeof(int32_t));
    at++;
  }
}

/** 0: screening where it pays, 1: never, 2: wherever it can. The tests compare these. */
int mode = 0;
size_t screened = 0, unsettled = 0;

}  // namespace

/** Buffer: int32 [3], in: the mode above; out: rows of the last call that screening was tried on, and those it left. */
void screening(Call& c) {
  if (!holds(c, 0, I32, 3)) return;
  mode = i32(c, 0)[0];
  i32(c, 0)[1] = static_cast<int32_t>(screened);
  i32(c, 0)[2] = static_cast<int32_t>(unsettled);
}

/** Buffers: values, indices [n, k], x [n, d], W [d, features], bias [features]. Params: n, d ≥ 1, features, 1 ≤ k ≤ features. */
void encodeTopK(Call& c) {
  Encoder e{sizeParam(c, 0), sizeParam(c, 1), sizeParam(c, 2), sizeParam(c, 3), f32(c, 2), f32(c, 3), f32(c, 4), f32(c, 0), i32(c, 1)};
  if (!holds(c, 0, F32, e.n * e.k) || !holds(c, 1, I32, e.n * e.k) || !holds(c, 2, F32, e.n * e.d) ||
      !holds(c, 3, F32, e.d * e.features) || !holds(c, 4, F32, e.features))
    return;
  if (e.d < 1 || e.k < 1 || e.k > e.features) {
    c.error = "native encode and top k: k or the input width is out of range";
    return;
  }
  screened = unsettled = 0;
  if (e.n == 0) return;
  if (mode == 1 || !canScreen(e, mode == 2)) return encodeAll(e);
  uint8_t* undone = static_cast<uint8_t*>(scratch(5, e.n));
  screened = e.n;
  unsettled = screenTopK(e, undone);
  if (unsettled == e.n) return encodeAll(e);
  if (unsettled > 0) encodeMarked(e, undone, unsettled);
}

SAX_END
