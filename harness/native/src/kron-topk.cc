/** @file The k largest products of factors within heads (KronSAE), a row of them at a time: [n, heads · m · n'] never exists. */
#include "select.h"

SAX_BEGIN

namespace {

/** Factors [heads, m] and [heads, width] of a row give products [heads, m, width]. */
struct Heads {
  size_t heads, m, width;
  size_t features() const { return heads * m * width; }
};

inline float positive(float x) { return x > 0.0f ? x : 0.0f; }

/** Keys of the products of one row's positive factors, 0 for the others. Products are 0 or more: their bits are in their order. */
void keysOf(const Heads& s, const float* u, const float* v, const float* among, float* spare, int32_t* keys) {
  for (size_t j = 0; j < s.heads * s.width; j++) spare[j] = positive(v[j]);
  float* z = reinterpret_cast<float*>(keys);
  for (size_t t = 0; t < s.heads; t++) {
    const float* right = spare + t * s.width;
    for (size_t i = 0; i < s.m; i++, z += s.width) {
      float left = positive(u[t * s.m + i]);
      size_t j = 0;
      // An infinity times 0 is no number: it counts as 0.
      for (; j + 4 <= s.width; j += 4) {
        v4 product = left * load4(right + j);
        store4(z + j, product == product ? product : v4{});
      }
      for (; j < s.width; j++) z[j] = left * right[j] >= 0.0f ? left * right[j] : 0.0f;
    }
  }
  if (!among) return;
  z = reinterpret_cast<float*>(keys);
  for (size_t f = 0; f < s.features(); f++) z[f] = among[f] > 0.0f ? z[f] : 0.0f;
}

}  // namespace

/**
 * Of each row the k largest √(u · v) with u, v > 0 in the same head, descending, of equal products the lowest index first; where
 * there are fewer, zeros. The ratio is √(u / v), its parts at least `least`, and 0 beside a 0. Buffers: values, ratios, indices [n, k],
 * u [n, heads · m], v [n, heads · width], among [heads · m · width] (what is not above 0 is left out) or length 0. Params: n, heads, m,
 * width, 1 ≤ k ≤ heads · m · width, least.
 */
void kronTopK(Call& c) {
  size_t n = sizeParam(c, 0), k = sizeParam(c, 4);
  Heads s{sizeParam(c, 1), sizeParam(c, 2), sizeParam(c, 3)};
  size_t features = times(s.heads, s.m, s.width);
  if (!holds(c, 0, F32, n * k) || !holds(c, 1, F32, n * k) || !holds(c, 2, I32, n * k) ||
      !holds(c, 3, F32, times(n, s.heads, s.m)) || !holds(c, 4, F32, times(n, s.heads, s.width)))
    return;
  const float* among = c.buf[5].length > 0 ? f32(c, 5) : nullptr;
  if (among && !holds(c, 5, F32, features)) return;
  if (k < 1 || k > features || features > INT32_MAX) {
    c.error = "native products in heads: k is out of range";
    return;
  }
  float bound = static_cast<float>(c.p[5]);
  forRange(n, 16, [&](size_t begin, size_t end) {
    int32_t* keys = static_cast<int32_t*>(scratch(3, (features + 2 * k + s.heads * s.width) * sizeof(int32_t)));
    int32_t *kept = keys + features, *places = kept + k;
    float* spare = reinterpret_cast<float*>(places + k);
    for (size_t i = begin; i < end; i++) {
      const float *u = f32(c, 3) + i * s.heads * s.m, *v = f32(c, 4) + i * s.heads * s.width;
      float *values = f32(c, 0) + i * k, *ratios = f32(c, 1) + i * k;
      int32_t* indices = i32(c, 2) + i * k;
      keysOf(s, u, v, among, spare, keys);
      takeBest(keys, features, k, 0, kept, places);
      writeSorted(kept, places, k, values, indices);
      for (size_t q = 0; q < k; q++) {
        size_t f = static_cast<size_t>(indices[q]);
        float a = u[f / s.width], b = v[f / (s.m * s.width) * s.width + f % s.width];
        ratios[q] = values[q] > 0.0f ? __builtin_sqrtf(most(a, bound) / most(b, bound)) : 0.0f;
        values[q] = __builtin_sqrtf(values[q]);
      }
    }
  });
}

SAX_END
