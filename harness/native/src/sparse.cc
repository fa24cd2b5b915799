/**
 * @file Products of k-sparse codes with a decoder, and their gradients, from the non-zeros only. Sums run in the order of
 * the rows, so results are the same bits for any number of threads.
 */
#include "transpose.h"

SAX_BEGIN

namespace {

/** Shapes of codes [n, k] over a dictionary [features, d]; checks every index. */
struct Codes {
  size_t n, k, features, d;
  const int32_t* indices;

  bool read(Call& c, int indexBuffer) {
    n = sizeParam(c, 0), k = sizeParam(c, 1), features = sizeParam(c, 2), d = sizeParam(c, 3);
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
inline void combine(float* out, size_t d, size_t count, const V& value, const R& row) {
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

/** The non-zeros of codes by feature, in row order (a counting sort). */
struct ByFeature {
  const uint32_t *starts, *order;  // starts[f] is where feature f ends

  ByFeature(const Codes& s, const float* values) {
    size_t nnz = s.n * s.k;
    uint32_t* ends = static_cast<uint32_t*>(scratch(3, (s.features + 1 + nnz) * sizeof(uint32_t)));
    uint32_t* places = ends + s.features + 1;
    __builtin_memset(ends, 0, (s.features + 1) * sizeof(uint32_t));
    for (size_t p = 0; p < nnz; p++) ends[s.indices[p] + 1] += values[p] != 0.0f;
    for (size_t f = 0; f < s.features; f++) ends[f + 1] += ends[f];
    // Filling moves each start to the next one's place.
    for (size_t p = 0; p < nnz; p++)
      if (values[p] != 0.0f) places[ends[s.indices[p]]++] = static_cast<uint32_t>(p);
    starts = ends;
    order = places;
  }

  /** out [d] = Σ values[i, j] · dy[i] over the non-zeros of feature f. */
  void sum(const Codes& s, size_t f, const float* values, const float* dy, float* out) const {
    size_t begin = f == 0 ? 0 : starts[f - 1];
    const uint32_t* from = order + begin;
    combine(out, s.d, starts[f] - begin, [&](size_t j) { return values[from[j]]; },
            [&](size_t j) { return dy + from[j] / s.k * s.d; });
  }
};

}  // namespace

/** x̂[i] = Σ_j values[i, j] · W[indices[i, j]]. Buffers: out [n, d], values, indices [n, k], W [features, d]. Params: n, k, features, d. */
void sparseDecode(Call& c) {
  Codes s;
  if (!s.read(c, 2) || !holds(c, 0, F32, s.n * s.d) || !holds(c, 1, F32, s.n * s.k) || !holds(c, 3, F32, s.features * s.d)) return;
  forRange(s.n, s.grain(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const float* values = f32(c, 1) + i * s.k;
      const int32_t* at = s.indices + i * s.k;
      combine(f32(c, 0) + i * s.d, s.d, s.k, [&](size_t j) { return values[j]; },
              [&](size_t j) { return f32(c, 3) + size_t(at[j]) * s.d; });
    }
  });
}

/** out[i, j] = dy[i] · W[indices[i, j]]. Buffers: out [n, k], dy [n, d], indices, W. Params as above. */
void sparseDots(Call& c) {
  Codes s;
  if (!s.read(c, 2) || !holds(c, 0, F32, s.n * s.k) || !holds(c, 1, F32, s.n * s.d) || !holds(c, 3, F32, s.features * s.d)) return;
  forRange(s.n, s.grain(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
      for (size_t j = 0; j < s.k; j++)
        f32(c, 0)[i * s.k + j] = dotOf(f32(c, 1) + i * s.d, f32(c, 3) + size_t(s.indices[i * s.k + j]) * s.d, s.d);
  });
}

/**
 * out[f] = Σ over (i, j) with indices[i, j] = f of values[i, j] · dy[i]. Buffers: out [features, d], dy [n, d], values,
 * indices. Params as above.
 */
void sparseOuter(Call& c) {
  Codes s;
  if (!s.read(c, 3) || !holds(c, 0, F32, s.features * s.d) || !holds(c, 1, F32, s.n * s.d) || !holds(c, 2, F32, s.n * s.k)) return;
  ByFeature sorted(s, f32(c, 2));
  forRange(s.features, most<size_t>(1, (1 << 14) / most<size_t>(1, s.d)), [&](size_t begin, size_t end) {
    for (size_t f = begin; f < end; f++) sorted.sum(s, f, f32(c, 2), f32(c, 1), f32(c, 0) + f * s.d);
  });
}

/** The same, transposed: out [d, features], written in blocks of columns that are summed as rows and turned in cache. */
void sparseOuterColumns(Call& c) {
  Codes s;
  if (!s.read(c, 3) || !holds(c, 0, F32, s.features * s.d) || !holds(c, 1, F32, s.n * s.d) || !holds(c, 2, F32, s.n * s.k)) return;
  ByFeature sorted(s, f32(c, 2));
  constexpr size_t kColumns = 16;
  forTasks(ceilDiv(s.features, kColumns), [&](size_t block) {
    size_t f0 = block * kColumns, count = least(kColumns, s.features - f0);
    float* rows = static_cast<float*>(scratch(2, kColumns * s.d * sizeof(float)));
    for (size_t f = 0; f < count; f++) sorted.sum(s, f0 + f, f32(c, 2), f32(c, 1), rows + f * s.d);
    float* out = f32(c, 0) + f0;
    size_t i = 0;
    if (count == kColumns)
      for (; i + 4 <= s.d; i += 4)
        for (size_t f = 0; f < kColumns; f += 4) transpose4(out + i * s.features + f, s.features, rows + f * s.d + i, s.d);
    for (; i < s.d; i++)
      for (size_t f = 0; f < count; f++) out[i * s.features + f] = rows[f * s.d + i];
  });
}

SAX_END
