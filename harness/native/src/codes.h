/** @file What the kernels on k-sparse codes share: their shapes, weighted sums of rows, and the codes by feature. */
#pragma once
#include "transpose.h"

SAX_BEGIN

/** Shapes of codes [n, k] over a dictionary [features, d], from the param `first` on; checks every index. */
struct Codes {
  size_t n, k, features, d;
  const int32_t* indices;

  bool read(Call& c, int indexBuffer, int first = 0) {
    n = sizeParam(c, first), k = sizeParam(c, first + 1), features = sizeParam(c, first + 2), d = sizeParam(c, first + 3);
    if (!holds(c, indexBuffer, I32, n * k)) return false;
    indices = i32(c, indexBuffer);
    uint32_t top = 0;
    for (size_t i = 0; i < n * k; i++) top = most(top, static_cast<uint32_t>(indices[i]));
    if (n * k == 0 || top < features) return true;
    c.error = "sparse codes: an index is outside the dictionary";
    return false;
  }

  size_t grain() const { return most<size_t>(1, (1 << 15) / most<size_t>(1, k * d)); }
};

/** out[0 … d) = Σ_j value(j) · row(j), four rows at a time; sets out, even for no rows. */
template <class V, class R>
static inline void combine(float* out, size_t d, size_t count, const V& value, const R& row) {
  size_t j = 0;
  bool first = true;
  for (; j + 4 <= count; j += 4) {
    float a = value(j), b = value(j + 1), e = value(j + 2), g = value(j + 3);
    const float *x = row(j), *y = row(j + 1), *z = row(j + 2), *w = row(j + 3);
    if (first)
      for (size_t i = 0; i < d; i++) out[i] = a * x[i] + b * y[i] + e * z[i] + g * w[i];
    else
      for (size_t i = 0; i < d; i++) out[i] += a * x[i] + b * y[i] + e * z[i] + g * w[i];
    first = false;
  }
  for (; j < count; j++) {
    float a = value(j);
    const float* x = row(j);
    if (first)
      for (size_t i = 0; i < d; i++) out[i] = a * x[i];
    else
      for (size_t i = 0; i < d; i++) out[i] += a * x[i];
    first = false;
  }
  if (first) __builtin_memset(out, 0, d * sizeof(float));
}

/** The number of codes of a row without the zeros that fill it up. */
static inline size_t filledWidth(const float* row, size_t k) {
  while (k > 0 && row[k - 1] == 0.0f) k--;
  return k;
}

/** visit(p) for the places of all codes but those zeros, which may be most of them. */
template <class F>
static inline void eachCode(const Codes& s, const float* values, const F& visit) {
  for (size_t i = 0; i < s.n; i++)
    for (size_t p = i * s.k, end = p + filledWidth(values + p, s.k); p < end; p++) visit(p);
}

/** The non-zeros of codes by feature, in row order (a counting sort). */
struct ByFeature {
  const uint32_t *starts, *order;  // starts[f] is where feature f ends

  ByFeature(const Codes& s, const float* values) {
    size_t nnz = s.n * s.k;
    uint32_t* ends = static_cast<uint32_t*>(scratch(3, (s.features + 1 + nnz) * sizeof(uint32_t)));
    uint32_t* places = ends + s.features + 1;
    __builtin_memset(ends, 0, (s.features + 1) * sizeof(uint32_t));
    eachCode(s, values, [&](size_t p) { ends[s.indices[p] + 1] += values[p] != 0.0f; });
    for (size_t f = 0; f < s.features; f++) ends[f + 1] += ends[f];
    // Filling moves each start to the next one's place.
    eachCode(s, values, [&](size_t p) {
      if (values[p] != 0.0f) places[ends[s.indices[p]]++] = static_cast<uint32_t>(p);
    });
    starts = ends;
    order = places;
  }

  /** out [d] = Σ values[i, j] · dy[i] over the non-zeros of feature f. */
  void sum(const Codes& s, size_t f, const float* values, const float* dy, float* out) const {
    sum(s, f, values, dy, out, 0, s.d);
  }

  /** Elements [from, from + count) of that sum. */
  void sum(const Codes& s, size_t f, const float* values, const float* dy, float* out, size_t from, size_t count) const {
    size_t begin = f == 0 ? 0 : starts[f - 1];
    const uint32_t* places = order + begin;
    combine(out, count, starts[f] - begin, [&](size_t j) { return values[places[j]]; },
            [&](size_t j) { return dy + places[j] / s.k * s.d + from; });
  }

  /** Σ values[i, j] over the non-zeros of feature f. */
  float total(size_t f, const float* values) const {
    float sum = 0;
    for (size_t at = f == 0 ? 0 : starts[f - 1]; at < starts[f]; at++) sum += values[order[at]];
    return sum;
  }
};

SAX_END
