/** @file Rotary positions, and rows written into a cache of keys or values. */
#include "rotary.h"

SAX_BEGIN

/**
 * Turns the pairs (i, i + width/2) of every head of x [rows, heads·width] by the angles of its row's position. Buffers: y, x,
 * cos and sin [positions, width/2]; row r has position r mod positions. Params: rows, heads, width (even), positions,
 * direction (1, or -1 to turn back).
 */
void rotary(Call& c) {
  size_t rows = sizeParam(c, 0), heads = sizeParam(c, 1), half = sizeParam(c, 2) / 2, positions = sizeParam(c, 3);
  float direction = static_cast<float>(c.p[4]);
  size_t step = heads * 2 * half;
  if (!holds(c, 0, F32, times(rows, step)) || !holds(c, 1, F32, times(rows, step)) || !holds(c, 2, F32, positions * half) ||
      !holds(c, 3, F32, positions * half))
    return;
  if (rows == 0) return;
  if (positions == 0) {
    c.error = "native rotary: no positions";
    return;
  }
  forRange(rows, most<size_t>(1, (size_t{1} << 14) / most<size_t>(1, step)), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      size_t p = r % positions * half;
      turnRow(f32(c, 1) + r * step, f32(c, 2) + p, f32(c, 3) + p, heads, half, direction, f32(c, 0) + r * step);
    }
  });
}

/**
 * Writes rows [n·t, width] into columns [column, column + t) of a cache [n·capacity, width], in place. Buffers: cache, rows.
 * Params: n, t, capacity, width, column.
 */
void cacheWrite(Call& c) {
  size_t n = sizeParam(c, 0), t = sizeParam(c, 1), capacity = sizeParam(c, 2), width = sizeParam(c, 3);
  size_t column = sizeParam(c, 4);
  if (!holds(c, 0, F32, times(n, capacity, width)) || !holds(c, 1, F32, times(n, t, width))) return;
  if (column + t > capacity) {
    c.error = "native cache: no room for the new columns";
    return;
  }
  if (t == 0 || width == 0) return;
  for (size_t i = 0; i < n; i++)
    __builtin_memcpy(f32(c, 0) + (i * capacity + column) * width, f32(c, 1) + i * t * width, t * width * sizeof(float));
}

SAX_END
