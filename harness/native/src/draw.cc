/** @file Draws from weights, one of each row: sampling's inner loop, in float64 and in the order of the definition in TypeScript. */
#include "isa.h"

SAX_BEGIN

namespace {

constexpr size_t kRows = 8;  // sums side by side: one alone waits for its own additions

/** The first index at which the sum of weights passes u · total; rounding can leave it after the last positive weight. */
int32_t place(const float* weights, size_t n, double target) {
  int32_t last = 0;
  for (size_t j = 0; j < n; j++) {
    if (weights[j] == 0.0f) continue;
    last = static_cast<int32_t>(j);
    target -= static_cast<double>(weights[j]);
    if (target < 0) return last;
  }
  return last;
}

}  // namespace

/**
 * Buffers: drawn (int32 [rows]), weights [rows, n], u (int32 [2 · rows]: the halves of doubles in [0, 1)). Params: rows, n.
 */
void drawRows(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  if (!holds(c, 0, I32, rows) || !holds(c, 1, F32, rows * n) || !holds(c, 2, I32, 2 * rows)) return;
  forRange(rows, kRows, [&](size_t begin, size_t end) {
    const float* weights = f32(c, 1) + begin * n;
    size_t count = end - begin;
    double totals[kRows] = {};
    if (count == kRows) {
      for (size_t j = 0; j < n; j++)
        for (size_t r = 0; r < kRows; r++) totals[r] += static_cast<double>(weights[r * n + j]);
    } else {
      for (size_t r = 0; r < count; r++)
        for (size_t j = 0; j < n; j++) totals[r] += static_cast<double>(weights[r * n + j]);
    }
    for (size_t r = 0; r < count; r++) {
      double u;
      __builtin_memcpy(&u, i32(c, 2) + 2 * (begin + r), sizeof u);
      i32(c, 0)[begin + r] = place(weights + r * n, n, u * totals[r]);
    }
  });
}

SAX_END
