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

/**
 * use(tile, spare) for all tiles, on the pool: those of the same rows one after another, from left to right. `spare` has room
 * for `spareLength` numbers. Takes scratch slots 0 to 2.
 */
template <class F>
static inline void eachTile(const Encoder& e, size_t spareLength, const F& use) {
  size_t width = ceilDiv(least(e.features, kColsPerTile), kTileCols) * kTileCols;
  float* packed = static_cast<float*>(scratch(0, width * e.d * sizeof(float)));
  for (size_t j0 = 0; j0 < e.features; j0 += kColsPerTile) {
    size_t cols = least(kColsPerTile, e.features - j0), stride = ceilDiv(cols, kTileCols) * kTileCols;
    packColumns(e, j0, cols, stride, packed);
    forTasks(ceilDiv(e.n, kRowsPerTask), [&](size_t task) {
      size_t i0 = task * kRowsPerTask, rows = least(kRowsPerTask, e.n - i0);
      float* a = static_cast<float*>(scratch(1, (kRowsPerTask + kTileRows) * kDepth * sizeof(float)));
      float* z = static_cast<float*>(scratch(2, ((kRowsPerTask + 1) * stride + spareLength) * sizeof(float)));
      for (size_t d = 0; d < e.d; d += kDepth) {
        size_t now = least(kDepth, e.d - d);
        for (size_t i = 0; i < rows; i += kTileRows)
          packStrip<kTileRows>(a + i * now, e.x + (i0 + i) * e.d + d, e.d, 1, least(kTileRows, rows - i), now);
        for (size_t j = 0; j < stride; j += kTileCols)
          for (size_t i = 0; i < rows; i += kTileRows)
            tileRows(least(kTileRows, rows - i), now, a + i * now, kTileRows, packed + d * stride + j * now, kTileCols,
                     z + i * stride + j, stride, kTileCols, d > 0);
      }
      int32_t* keys = reinterpret_cast<int32_t*>(z + kRowsPerTask * stride);
      use(Tile{i0, rows, j0, cols, stride, z, keys}, keys + stride);
    });
  }
}

SAX_END
