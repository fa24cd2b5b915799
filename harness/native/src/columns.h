/** @file Sums of rows by latent as the columns of a matrix: blocks of them are made as rows and turned in cache. */
#pragma once
#include "codes.h"

SAX_BEGIN

constexpr size_t kWidest = 64;  // columns of a block: a run of memory in each row of the matrix

/** Columns of a block, as many as leave its rows of `depth` elements in the second level of the cache. */
static inline size_t columnsOf(size_t depth) {
  return least(kWidest, most<size_t>(16, (1 << 16) / most<size_t>(1, depth) / 16 * 16));
}

/**
 * Columns [f0, f0 + count) of rows [i0, i0 + depth) of the matrix [d, features] whose column f is Σ values · x over the non-zeros of
 * feature f, count at most columnsOf(depth): write(i, run) for each row i0 + i of them. Takes scratch slot 2.
 */
template <class W>
static inline void sumColumns(const Codes& s, const ByFeature& sorted, const float* values, const float* x, size_t f0, size_t count,
                              size_t i0, size_t depth, const W& write) {
  // A step of an odd number of cache lines: rows side by side do not compete for one place in the cache.
  size_t step = (ceilDiv(depth, size_t{16}) | 1) * 16;
  float* rows = static_cast<float*>(scratch(2, kWidest * step * sizeof(float)));
  for (size_t f = 0; f < count; f++) sorted.sum(s, f0 + f, values, x, rows + f * step, i0, depth);
  float turned[4 * kWidest];
  for (size_t i = 0; i < depth; i += 4) {
    size_t now = least<size_t>(4, depth - i), f = 0;
    if (now == 4)
      for (; f + 4 <= count; f += 4) transpose4(turned + f, kWidest, rows + f * step + i, step);
    for (; f < count; f++)
      for (size_t r = 0; r < now; r++) turned[r * kWidest + f] = rows[f * step + i + r];
    for (size_t r = 0; r < now; r++) write(i + r, turned + r * kWidest);
  }
}

SAX_END
