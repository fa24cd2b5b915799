/** @file KronSAE's encoder and TopK of it, a block of rows at a time: [n, heads · m · n'] never exists. */
#include "encode-tile.h"
#include "kron.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsAtOnce = 2048;  // rows whose factors are kept

size_t factorRoom(const KronEncoder& e, size_t n) { return least(n, kRowsAtOnce) * (e.heads.bases() + e.heads.extensions()); }

/** out [n, columns] = x [n, d] · W [d, columns], in float32. */
void factorsOf(const float* x, size_t n, size_t d, const float* W, size_t columns, float* out) {
  eachTile({n, d, columns, 0, columns, x, W, nullptr, nullptr, nullptr}, 0, [&](const Tile& t, int32_t*) {
    for (size_t i = 0; i < t.rows; i++)
      __builtin_memcpy(out + (t.i0 + i) * columns + t.j0, t.z + i * t.stride, t.cols * sizeof(float));
  });
}

/** Every row in float32. `room` takes `factorRoom` floats. */
void encodeAll(const KronEncoder& e, float* room) {
  const Heads& s = e.heads;
  for (size_t i0 = 0; i0 < e.n; i0 += kRowsAtOnce) {
    size_t n = least(kRowsAtOnce, e.n - i0);
    float *u = room, *v = u + n * s.bases();
    factorsOf(e.x + i0 * e.d, n, e.d, e.base, s.bases(), u);
    factorsOf(e.x + i0 * e.d, n, e.d, e.extension, s.extensions(), v);
    forRange(n, 16, [&](size_t begin, size_t end) {
      size_t factors = s.bases() + s.extensions();
      float* left = static_cast<float*>(scratch(3, (factors + s.products() + 2 * e.k) * sizeof(float)));
      float *right = left + s.bases(), *products = right + s.extensions();
      int32_t* keys = reinterpret_cast<int32_t*>(products);
      int32_t *kept = keys + s.products(), *places = kept + e.k;
      for (size_t i = begin; i < end; i++) {
        const float *own = u + i * s.bases(), *other = v + i * s.extensions();
        for (size_t j = 0; j < s.bases(); j++) left[j] = positive(own[j]);
        for (size_t j = 0; j < s.extensions(); j++) right[j] = positive(other[j]);
        productsOf(e, left, right, products);
        takeBest(keys, s.products(), e.k, 0, kept, places);
        writeRow(e, i0 + i, own, other, kept, places);
      }
    });
  }
}

/** The rows marked in `undone`, `count` of them, gathered, encoded and put back. */
void encodeMarked(const KronEncoder& e, const uint8_t* undone, size_t count) {
  // `undone` is in slot 5; what screening kept in slot 4 is no longer needed.
  float* x = static_cast<float*>(scratch(4, (count * (e.d + 3 * e.k) + factorRoom(e, count)) * sizeof(float)));
  KronEncoder part = e;
  part.n = count;
  part.x = x;
  part.values = x + count * e.d;
  part.ratios = part.values + count * e.k;
  part.indices = reinterpret_cast<int32_t*>(part.ratios + count * e.k);
  size_t at = 0;
  for (size_t i = 0; i < e.n; i++)
    if (undone[i]) __builtin_memcpy(x + at++ * e.d, e.x + i * e.d, e.d * sizeof(float));
  encodeAll(part, part.ratios + 2 * count * e.k);
  at = 0;
  for (size_t i = 0; i < e.n; i++) {
    if (!undone[i]) continue;
    __builtin_memcpy(e.values + i * e.k, part.values + at * e.k, e.k * sizeof(float));
    __builtin_memcpy(e.ratios + i * e.k, part.ratios + at * e.k, e.k * sizeof(float));
    __builtin_memcpy(e.indices + i * e.k, part.indices + at * e.k, e.k * sizeof(int32_t));
    at++;
  }
}

void encodeRows(const KronEncoder& e) {
  if (e.n == 0) return;
  auto all = [&] { encodeAll(e, static_cast<float*>(scratch(4, factorRoom(e, e.n) * sizeof(float)))); };
  Encoder factors{e.n, e.d, e.heads.bases() + e.heads.extensions(), e.k, 0, nullptr, nullptr, nullptr, nullptr, nullptr};
  if (screeningMode() == 1 || !canScreen(factors, screeningMode() == 2)) return all();
  uint8_t* undone = static_cast<uint8_t*>(scratch(5, e.n));
  size_t left = screenKron(e, undone);
  countScreened(e.n, left);
  if (left == e.n) return all();
  if (left > 0) encodeMarked(e, undone, left);
}

}  // namespace

/**
 * Of each row of x the k largest √(u · v) with u, v > 0 in the same head, descending, of equal products the lowest index first; where
 * there are fewer, zeros. The ratio is √(u / v), its parts at least `least`, and 0 beside a 0. Buffers: values, ratios, indices [n, k],
 * x [n, d], base [d, heads · m], extension [d, heads · width], among [heads · m · width] (what is not above 0 is left out) or length 0.
 * Params: n, d ≥ 1, heads, m, width, 1 ≤ k ≤ heads · m · width, least.
 */
void kronEncode(Call& c) {
  size_t n = sizeParam(c, 0), d = sizeParam(c, 1), k = sizeParam(c, 5);
  Heads s{sizeParam(c, 2), sizeParam(c, 3), sizeParam(c, 4)};
  size_t products = times(s.heads, s.m, s.width);
  if (!holds(c, 0, F32, n * k) || !holds(c, 1, F32, n * k) || !holds(c, 2, I32, n * k) || !holds(c, 3, F32, times(n, d)) ||
      !holds(c, 4, F32, times(d, s.heads, s.m)) || !holds(c, 5, F32, times(d, s.heads, s.width)))
    return;
  const float* among = c.buf[6].length > 0 ? f32(c, 6) : nullptr;
  if (among && !holds(c, 6, F32, products)) return;
  if (d < 1 || k < 1 || k > products || products > INT32_MAX) {
    c.error = "native encode by heads: k or the input width is out of range";
    return;
  }
  resetScreened();
  encodeRows({n, d, k, s, f32(c, 3), f32(c, 4), f32(c, 5), among, static_cast<float>(c.p[6]), f32(c, 0), f32(c, 1), i32(c, 2)});
}

SAX_END
