/**
 * @file An Adam step of a matrix whose gradient is sums of rows by latent: parts of the gradient are used up where they are made.
 * It never exists as a whole.
 */
#include "adam.h"
#include "columns.h"
#include "stream.h"

SAX_BEGIN

namespace {

constexpr size_t kRows = 96;  // of the gradient of an encoder by one thread at a time: they stay in the cache that cores share
constexpr size_t kPiece = size_t{1} << 19;  // bytes of that of a decoder

/** Rows of the gradient of a decoder are its sums: a thread makes some and goes on to move them. */
void moveRows(const AdamStep& a, const Codes& s, const ByFeature& sorted, const float* values, const float* x, float scale,
              bool unitRows) {
  // So many that what is read of the matrix and its moments in one go is fetched ahead.
  size_t block = most<size_t>(1, least(kPiece / sizeof(float) / s.d, ceilDiv(s.features, size_t{16})));
  forRange(s.features, block, [&](size_t begin, size_t end) {
    float* rows = static_cast<float*>(scratch(2, block * s.d * sizeof(float)));
    for (size_t f = begin; f < end; f++) sorted.sum(s, f, values, x, rows + (f - begin) * s.d);
    for (size_t f = begin; f < end; f++) {
      const float* row = rows + (f - begin) * s.d;
      if (unitRows) a.runUnit(f * s.d, s.d, row, scale);
      else a.run(f * s.d, s.d, row, scale, 0.0f);
    }
  });
}

/**
 * Columns of the gradient of an encoder are its sums, but it lies in rows. A thread makes some whole rows of it by blocks of columns
 * and goes on to move them: moving the blocks themselves would read the matrix in short runs, at half the speed.
 */
void moveColumns(const AdamStep& a, const Codes& s, const ByFeature& sorted, const float* values, const float* x, float scale) {
  size_t depth = least(kRows, most<size_t>(16, s.d / 8 / 16 * 16)), columns = columnsOf(depth);
  // Rows side by side do not compete for one place in the cache.
  size_t pitch = ceilDiv(s.features, size_t{1024}) * 1024 + 80;
  forRange(s.d, depth, [&](size_t begin, size_t end) {
    float* part = static_cast<float*>(scratch(4, depth * pitch * sizeof(float)));
    for (size_t f0 = 0; f0 < s.features; f0 += columns) {
      size_t count = least(columns, s.features - f0);
      for (size_t i = 0; i < end - begin; i++)
        for (size_t f = 0; f < count; f += 16) __builtin_prefetch(part + i * pitch + f0 + f, 1, 2);
      sumColumns(s, sorted, values, x, f0, count, begin, end - begin,
                 [&](size_t i, const float* run) { __builtin_memcpy(part + i * pitch + f0, run, count * sizeof(float)); });
    }
    for (size_t i = begin; i < end; i++) a.run(i * s.features, s.features, part + (i - begin) * pitch, scale, 0.0f);
  });
}

}  // namespace

/**
 * adamStep with the gradient of sparseOuter, or with columns = 1 of sparseOuterColumns, to the same bits. Buffers: new p, m, v
 * (which may be the old ones), p, m, v, scale [1], x [n, d], values, indices [n, k]. Params: the first seven of adamStep,
 * unitRows, columns (not both), n, k, features, d.
 */
void adamSumsStep(Call& c) {
  Codes s;
  if (!s.read(c, 9, 9) || !holds(c, 6, F32, 1) || !holds(c, 7, F32, s.n * s.d) || !holds(c, 8, F32, s.n * s.k)) return;
  for (int i = 0; i < 6; i++)
    if (!holds(c, i, F32, s.features * s.d)) return;
  bool unitRows = c.p[7] != 0, columns = c.p[8] != 0;
  if (unitRows && columns) {
    c.error = "native adam: sums by column have no unit rows";
    return;
  }
  if (s.d == 0) return;
  AdamStep a(c);
  float scale = f32(c, 6)[0];
  const float *x = f32(c, 7), *values = f32(c, 8);
  ByFeature sorted(s, values);
  if (columns) moveColumns(a, s, sorted, values, x, scale);
  else moveRows(a, s, sorted, values, x, scale, unitRows);
}

SAX_END
