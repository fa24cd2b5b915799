/** @file Loops of the evaluation: latents pooled over the rows of items, and squared lengths of weighted sums of rows. */
#include "isa.h"

SAX_BEGIN

namespace {

typedef int32_t vi __attribute__((vector_size(SAX_VECTOR_BYTES)));

/** True when `at` [n + 1] ascends from 0 or more to at most `end`; otherwise records the error. */
bool ascends(Call& c, const int32_t* at, size_t n, size_t end) {
  bool good = at[0] >= 0 && size_t(at[n]) <= end;
  for (size_t i = 0; i < n; i++) good &= at[i] <= at[i + 1];
  if (!good) c.error = "native kernel: bounds do not ascend within their array";
  return good;
}

/** Columns of an item that are pooled together, in registers over all of its rows. */
template <size_t K>
void poolColumns(const float* x, size_t rows, size_t width, float* max, float* min, vi& nonZero, vi& odd) {
  vf high[K], low[K];
  for (size_t k = 0; k < K; k++) high[k] = low[k] = load(x + k * kLanes);
  for (size_t r = 0; r < rows; r++, x += width) {
#pragma GCC unroll 4
    for (size_t k = 0; k < K; k++) {
      vf v = load(x + k * kLanes);
      high[k] = v > high[k] ? v : high[k];
      low[k] = v < low[k] ? v : low[k];
      nonZero -= v != vf{};
      // Not 0 for infinities and NaN.
      odd |= v - v != vf{};
    }
  }
  for (size_t k = 0; k < K; k++) {
    store(max + k * kLanes, high[k]);
    if (min) store(min + k * kLanes, low[k]);
  }
}

/** The same for one column. */
void poolColumn(const float* x, size_t rows, size_t width, float* max, float* min, int32_t& nonZero, bool& odd) {
  float high = *x, low = *x;
  for (size_t r = 0; r < rows; r++, x += width) {
    high = *x > high ? *x : high;
    low = *x < low ? *x : low;
    nonZero += *x != 0;
    odd |= *x - *x != 0;
  }
  *max = high;
  if (min) *min = low;
}

/** Dimensions of the rows that are packed side by side: one cache line. */
constexpr size_t kStrip = 16;
typedef float vh __attribute__((vector_size(SAX_VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(SAX_VECTOR_BYTES)));
constexpr size_t kDoubles = SAX_VECTOR_BYTES / sizeof(double);

}  // namespace

/**
 * The largest and smallest value of each column over the rows bounds[i] … bounds[i + 1] - 1 of item i, 0 without rows; and
 * for each item the number of values that are not 0, and whether one is not finite. Buffers: max [items, width], min (the
 * same, or empty: not wanted), counts [items, 2], x [rows, width], bounds [items + 1]. Params: items, width.
 */
void poolRows(Call& c) {
  size_t items = sizeParam(c, 0), width = sizeParam(c, 1);
  bool both = c.buf[1].length > 0;
  if (!holds(c, 0, F32, items * width) || !holds(c, 1, F32, both ? items * width : 0) || !holds(c, 2, I32, 2 * items) ||
      !holds(c, 3, F32, 0) || !holds(c, 4, I32, items + 1))
    return;
  const int32_t* bounds = i32(c, 4);
  if (!ascends(c, bounds, items, width == 0 ? size_t(INT32_MAX) : c.buf[3].length / width)) return;
  size_t rows = most<size_t>(1, size_t(bounds[items] - bounds[0]));
  size_t grain = most<size_t>(1, (size_t{1} << 16) * items / (rows * most<size_t>(width, 1)));
  forRange(items, grain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      size_t count = size_t(bounds[i + 1] - bounds[i]);
      float* max = f32(c, 0) + i * width;
      float* min = both ? f32(c, 1) + i * width : nullptr;
      const float* x = f32(c, 3) + size_t(bounds[i]) * width;
      vi nonZero = {}, odd = {};
      int32_t total = 0;
      bool bad = false;
      size_t j = 0;
      if (count == 0) {
        for (; j < width; j++) max[j] = 0;
        for (j = 0; min && j < width; j++) min[j] = 0;
        j = width;
      }
      auto lower = [=](size_t at) { return min ? min + at : nullptr; };
      for (; j + 4 * kLanes <= width; j += 4 * kLanes) poolColumns<4>(x + j, count, width, max + j, lower(j), nonZero, odd);
      for (; j + kLanes <= width; j += kLanes) poolColumns<1>(x + j, count, width, max + j, lower(j), nonZero, odd);
      for (; j < width; j++) poolColumn(x + j, count, width, max + j, lower(j), total, bad);
      for (size_t l = 0; l < kLanes; l++) {
        total += nonZero[l];
        bad |= odd[l] != 0;
      }
      i32(c, 2)[2 * i] = total;
      i32(c, 2)[2 * i + 1] = bad;
    }
  });
}

/**
 * ‖Σ_j values[j] · x[items[j]] - offset_f · shift‖² of each list f, whose entries are j = starts[f] … starts[f + 1] - 1;
 * in double. Strips of dimensions are packed, so that what a list reads at random lies in the cache. Buffers: out [lists]
 * F64, x [n, dim], shift [dim] F64, starts [lists + 1], items, values, offsets [lists] F64. Params: n, dim, lists.
 */
void sumLengths(Call& c) {
  size_t n = sizeParam(c, 0), dim = sizeParam(c, 1), lists = sizeParam(c, 2), entries = c.buf[4].length;
  if (!holds(c, 0, F64, lists) || !holds(c, 1, F32, n * dim) || !holds(c, 2, F64, dim) || !holds(c, 3, I32, lists + 1) ||
      !holds(c, 4, I32, 0) || !holds(c, 5, F32, entries) || !holds(c, 6, F64, lists))
    return;
  const int32_t* starts = i32(c, 3);
  const int32_t* items = i32(c, 4);
  if (!ascends(c, starts, lists, entries)) return;
  for (size_t j = 0; j < entries; j++)
    if (items[j] < 0 || size_t(items[j]) >= n) {
      c.error = "native kernel: an item is out of range";
      return;
    }
  size_t strips = ceilDiv(dim, kStrip);
  double* parts = static_cast<double*>(scratch(0, (strips * lists + 1) * sizeof(double)));
  const float* x = f32(c, 1);
  forTasks(strips, [&](size_t s) {
    size_t first = s * kStrip, wide = least(kStrip, dim - first);
    float* packed = static_cast<float*>(scratch(1, (n + 1) * kStrip * sizeof(float)));
    for (size_t i = 0; i < n; i++)
      for (size_t l = 0; l < kStrip; l++) packed[i * kStrip + l] = l < wide ? x[i * dim + first + l] : 0;
    for (size_t f = 0; f < lists; f++) {
      vd sum[kStrip / kDoubles] = {};
      for (size_t j = size_t(starts[f]); j < size_t(starts[f + 1]); j++) {
        const float* row = packed + size_t(items[j]) * kStrip;
        double value = f32(c, 5)[j];
#pragma GCC unroll 8
        for (size_t k = 0; k < kStrip / kDoubles; k++)
          sum[k] += value * __builtin_convertvector(*reinterpret_cast<const vh*>(row + k * kDoubles), vd);
      }
      double total = 0;
      for (size_t l = 0; l < wide; l++) {
        double each = sum[l / kDoubles][l % kDoubles] - f64(c, 6)[f] * f64(c, 2)[first + l];
        total += each * each;
      }
      parts[s * lists + f] = total;
    }
  });
  double* out = f64(c, 0);
  for (size_t f = 0; f < lists; f++) out[f] = 0;
  for (size_t s = 0; s < strips; s++)
    for (size_t f = 0; f < lists; f++) out[f] += parts[s * lists + f];
}

SAX_END
