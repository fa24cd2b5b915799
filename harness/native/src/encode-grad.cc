/** @file The gradients of a linear encoder from those of the few codes that are above 0. */
#include "codes.h"

SAX_BEGIN

namespace {

constexpr size_t kColumns = 16;

/** Columns [f0, f0 + count) of out [d, features], from their rows [count, d], turned in cache. */
void writeColumns(const Codes& s, const float* rows, size_t f0, size_t count, float* out) {
  size_t i = 0;
  if (count == kColumns)
    for (; i + 4 <= s.d; i += 4)
      for (size_t f = 0; f < kColumns; f += 4) transpose4(out + i * s.features + f0 + f, s.features, rows + f * s.d + i, s.d);
  for (; i < s.d; i++)
    for (size_t f = 0; f < count; f++) out[i * s.features + f0 + f] = rows[f * s.d + i];
}

}  // namespace

/**
 * With dz = dy where codes > 0 and else 0: dW[:, f] = Σ dz[i, j] · x[i] and dbias[f] = Σ dz[i, j], both over (i, j) with
 * indices[i, j] = f; dcentre = −W · dbias. Buffers: dW [d, features], dbias [features], dcentre [d] (or length 0: left out),
 * x [n, d], dy, codes, indices [n, k], W [d, features] (read for dcentre only). Params: n, k, features, d.
 */
void encodeGrad(Call& c) {
  Codes s;
  if (!s.read(c, 6) || !holds(c, 0, F32, s.features * s.d) || !holds(c, 1, F32, s.features) || !holds(c, 3, F32, s.n * s.d) ||
      !holds(c, 4, F32, s.n * s.k) || !holds(c, 5, F32, s.n * s.k))
    return;
  bool centred = c.buf[2].length > 0;
  if (centred && (!holds(c, 2, F32, s.d) || !holds(c, 7, F32, s.features * s.d))) return;
  float *dbias = f32(c, 1), *dz = static_cast<float*>(scratch(4, most<size_t>(1, s.n * s.k) * sizeof(float)));
  const float *dy = f32(c, 4), *codes = f32(c, 5);
  for (size_t p = 0; p < s.n * s.k; p++) dz[p] = codes[p] > 0.0f ? dy[p] : 0.0f;
  ByFeature sorted(s, dz);
  forTasks(ceilDiv(s.features, kColumns), [&](size_t block) {
    size_t f0 = block * kColumns, count = least(kColumns, s.features - f0);
    float* rows = static_cast<float*>(scratch(2, kColumns * s.d * sizeof(float)));
    for (size_t f = 0; f < count; f++) {
      sorted.sum(s, f0 + f, dz, f32(c, 3), rows + f * s.d);
      dbias[f0 + f] = sorted.total(f0 + f, dz);
    }
    writeColumns(s, rows, f0, count, f32(c, 0));
  });
  if (!centred) return;
  forRange(s.d, most<size_t>(1, (1 << 14) / most<size_t>(1, s.features)), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) f32(c, 2)[i] = -dotOf(f32(c, 7) + i * s.features, dbias, s.features);
  });
}

SAX_END
