/** @file Squared distances of a batch from its reconstruction and from its mean, and the gradient of the former. */
#include "isa.h"

SAX_BEGIN

namespace {

constexpr size_t kRows = 128;  // to a piece: what is summed in float32 before float64 takes over

/** Σ (a − b)², b one row for all where `step` is 0. */
inline float squaresBetween(const float* a, const float* b, size_t rows, size_t d, size_t step) {
  vf x = {};
  float rest = 0;
  for (size_t r = 0; r < rows; r++, a += d, b += step) {
    size_t i = 0;
    for (; i + kLanes <= d; i += kLanes) {
      vf gap = load(a + i) - load(b + i);
      x += gap * gap;
    }
    for (; i < d; i++) rest += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sumLanes(x) + rest;
}

}  // namespace

/**
 * out[0] = Σ‖y − ŷ‖² and, where out has room for it, out[1] = Σ‖y − ȳ‖² with ȳ the mean row. Sums run over fixed pieces, in
 * order. Buffers: out [1 or 2], y, ŷ [n, d]. Params: n, d.
 */
void squaredErrors(Call& c) {
  size_t n = sizeParam(c, 0), d = sizeParam(c, 1), pieces = ceilDiv(n, kRows);
  bool varies = c.buf[0].length > 1;
  if (!holds(c, 0, F32, 1) || !holds(c, 1, F32, n * d) || !holds(c, 2, F32, n * d)) return;
  if (n == 0 || d == 0) {
    f32(c, 0)[0] = 0;
    if (varies) f32(c, 0)[1] = 0;
    return;
  }
  const float *y = f32(c, 1), *guess = f32(c, 2);
  double* sums = static_cast<double*>(scratch(3, 2 * (pieces + 1) * sizeof(double) + (pieces + 1) * d * sizeof(float)));
  float *mean = reinterpret_cast<float*>(sums + 2 * (pieces + 1)), *columns = mean + d;
  forTasks(pieces, [&](size_t piece) {
    size_t from = piece * kRows, rows = least(kRows, n - from);
    sums[2 * piece] = double(squaresBetween(y + from * d, guess + from * d, rows, d, d));
    if (!varies) return;
    float* sum = columns + piece * d;
    __builtin_memset(sum, 0, d * sizeof(float));
    for (size_t r = from; r < from + rows; r++)
      for (size_t i = 0; i < d; i++) sum[i] += y[r * d + i];
  });
  double residual = 0, variance = 0;
  for (size_t piece = 0; piece < pieces; piece++) residual += sums[2 * piece];
  f32(c, 0)[0] = static_cast<float>(residual);
  if (!varies) return;
  for (size_t i = 0; i < d; i++) {
    double sum = 0;
    for (size_t piece = 0; piece < pieces; piece++) sum += double(columns[piece * d + i]);
    mean[i] = static_cast<float>(sum / double(n));
  }
  forTasks(pieces, [&](size_t piece) {
    size_t from = piece * kRows;
    sums[2 * piece + 1] = double(squaresBetween(y + from * d, mean, least(kRows, n - from), d, 0));
  });
  for (size_t piece = 0; piece < pieces; piece++) variance += sums[2 * piece + 1];
  f32(c, 0)[1] = static_cast<float>(variance);
}

/** out = 2 · scale · (ŷ − y). Buffers: out, y, ŷ of one length, scale [1]. */
void squaredErrorGrad(Call& c) {
  size_t n = c.buf[0].length;
  for (int i = 0; i < 3; i++)
    if (!holds(c, i, F32, n)) return;
  if (!holds(c, 3, F32, 1)) return;
  float factor = 2.0f * f32(c, 3)[0], *out = f32(c, 0);
  const float *y = f32(c, 1), *guess = f32(c, 2);
  forRange(n, 1 << 15, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) out[i] = factor * (guess[i] - y[i]);
  });
}

/** fired[f] = 1 where column f of x has a number other than 0, and how many such numbers there are. Buffers: fired u8
 * [features], count int32 [2] (low and high 31 bits), x [n, features]. Params: n, features. */
void firing(Call& c) {
  size_t n = sizeParam(c, 0), features = sizeParam(c, 1);
  if (!holds(c, 0, U8, features) || !holds(c, 1, I32, 2) || !holds(c, 2, F32, n * features)) return;
  constexpr size_t kColumns = 1024;
  size_t blocks = ceilDiv(features, kColumns);
  size_t* counts = static_cast<size_t*>(scratch(3, most<size_t>(1, blocks) * sizeof(size_t)));
  forTasks(blocks, [&](size_t block) {
    size_t from = block * kColumns, width = least(kColumns, features - from);
    int32_t each[kColumns] = {};
    for (size_t i = 0; i < n; i++) {
      const float* row = f32(c, 2) + i * features + from;
      for (size_t f = 0; f < width; f++) each[f] += row[f] != 0.0f;
    }
    counts[block] = 0;
    for (size_t f = 0; f < width; f++) {
      u8(c, 0)[from + f] = each[f] > 0;
      counts[block] += static_cast<size_t>(each[f]);
    }
  });
  size_t total = 0;
  for (size_t block = 0; block < blocks; block++) total += counts[block];
  i32(c, 1)[0] = static_cast<int32_t>(total & 0x7fffffff);
  i32(c, 1)[1] = static_cast<int32_t>(total >> 31);
}

SAX_END
