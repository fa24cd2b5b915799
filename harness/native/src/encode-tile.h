/**
 * @file The product of an encoder tile by tile, each used up while it is in cache; the whole product [n, features] never
 * exists. The sums run in the order of the matrix product.
 */
#pragma once
#include "encoder.h"
#include "select.h"

SAX_BEGIN

constexpr size_t kRowsPerTask = 96;    // with the tile below, what a thread works on stays in L2
constexpr size_t kColsPerTile = 1024;  // packed columns of W, shared by the threads: they stay in L3

/** Rows [i0, i0 + rows) and columns [j0, j0 + cols) of x · W, `stride` floats from row to row; the bias is not in it. */
struct Tile {
  size_t i0, rows, j0, cols, stride;
  const float* z;
  int32_t* keys;  // room for what becomes of one row
};

/** Packs columns [j0, j0 + cols) of W, each block of kDepth rows by strips. */
static inline void packColumns(const Encoder& e, size_t j0, size_t cols, size_t stride, float* packed) {
  forTasks(stride / kTileCols, [&](size_t s) {
    size_t j = s * kTileCols;
    for (size_t d = 0; d < e.d; d += kDepth) {
      size_t now = least(kDepth, e.d - d);
      packStrip<kTileCols>(packed + d * stride + j * now, e.W + d * e.across + j0 + j, 1, e.across,
                           least(kTileCols, cols - j), now);
    }
  });
}

/** Packs one block, rows [d, d + now) of the same columns, row by row: where few rows of x share it, reading W is what it costs. */
static inline void packBlock(const Encoder& e, size_t j0, size_t cols, size_t d, size_t now, float* packed) {
  constexpr size_t kAhead = 4;
  const float* from = e.W + d * e.across + j0;
  for (size_t k = 0; k < now; k++, from += e.across) {
    if (d + k + kAhead < e.d) bring(from + kAhead * e.across, cols);
    for (size_t j = 0; j < cols; j += kTileCols)
      packStrip<kTileCols>(packed + j * now + k * kTileCols, from + j, 1, e.across, least(kTileCols, cols - j), 1);
  }
}

/** z [rows, stride] (+)= the packed rows `a` · the packed block of W, both `now` deep. */
static inline void multiplyBlock(const float* a, size_t rows, const float* block, size_t stride, size_t now, float* z, bool add) {
  for (size_t j = 0; j < stride; j += kTileCols)
    for (size_t i = 0; i < rows; i += kTileRows)
      tileRows(least(kTileRows, rows - i), now, a + i * now, kTileRows, block + j * now, kTileCols, z + i * stride + j, stride,
               kTileCols, add);
}

/**
 * use(tile, spare) for all tiles, on the pool: those of the same rows one after another, from left to right. `spare` has room
 * for `spareLength` numbers. Takes scratch slots 0 to 2.
 */
template <class F>
static inline void eachTile(const Encoder& e, size_t spareLength, const F& use) {
  // A block of W that one task alone reads is packed by it, when it comes to it: it stays in the task's own cache.
  bool few = e.n <= kRowsPerTask;
  size_t width = ceilDiv(least(e.features, kColsPerTile), kTileCols) * kTileCols;
  float* packed = static_cast<float*>(scratch(0, width * (few ? least(kDepth, e.d) : e.d) * sizeof(float)));
  for (size_t j0 = 0; j0 < e.features; j0 += kColsPerTile) {
    size_t cols = least(kColsPerTile, e.features - j0), stride = ceilDiv(cols, kTileCols) * kTileCols;
    if (!few) packColumns(e, j0, cols, stride, packed);
    forTasks(ceilDiv(e.n, kRowsPerTask), [&](size_t task) {
      size_t i0 = task * kRowsPerTask, rows = least(kRowsPerTask, e.n - i0);
      float* a = static_cast<float*>(scratch(1, (kRowsPerTask + kTileRows) * kDepth * sizeof(float)));
      float* z = static_cast<float*>(scratch(2, ((kRowsPerTask + 1) * stride + spareLength) * sizeof(float)));
      for (size_t d = 0; d < e.d; d += kDepth) {
        size_t now = least(kDepth, e.d - d);
        for (size_t i = 0; i < rows; i += kTileRows)
          packStrip<kTileRows>(a + i * now, e.x + (i0 + i) * e.d + d, e.d, 1, least(kTileRows, rows - i), now);
        if (few) packBlock(e, j0, cols, d, now, packed);
        multiplyBlock(a, rows, few ? packed : packed + d * stride, stride, now, z, d > 0);
      }
      int32_t* keys = reinterpret_cast<int32_t*>(z + kRowsPerTask * stride);
      use(Tile{i0, rows, j0, cols, stride, z, keys}, keys + stride);
    });
  }
}

SAX_END
