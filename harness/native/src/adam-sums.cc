/**
 * @file An Adam step of a matrix whose gradient is sums of rows by latent: parts of the gradient are used up where they are made.
 * It never exists as a whole.
 */
#include "adam.h"
#include "columns.h"

SAX_BEGIN

namespace {

constexpr size_t kPiece = size_t{1} << 19;  // bytes of the gradient of a decoder that a thread makes before it moves them

/** Rows of the gradient of a decoder are its sums: a thread makes some and goes on to move them. */
void moveRows(const AdamStep& a, const Codes& s, const float* values, const float* x, float scale, bool unitRows) {
  ByFeature sorted(s, values);
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

/** Columns of the gradient of an encoder are its sums, but it lies in rows: a thread makes runs of some rows, and moves these. */
void moveColumns(const AdamStep& a, const Codes& s, const float* values, const float* x, float scale) {
  eachRun(s, values, x, [&](size_t i, size_t f0, size_t count, const float* run) {
    a.run(i * s.features + f0, count, run, scale, 0.0f);
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
  if (columns) moveColumns(a, s, values, x, scale);
  else moveRows(a, s, values, x, scale, unitRows);
}

SAX_END
