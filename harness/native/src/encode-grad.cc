/** @file The gradients of a linear encoder from those of the few codes that are above 0. */
#include "columns.h"
#include "stream.h"

SAX_BEGIN

/**
 * With dz = dy where codes > 0 and else 0: dbias[f] = Σ dz[i, j] over (i, j) with indices[i, j] = f; dcentre = −W · dbias. The
 * gradient of W is sparseOuterColumns of dz. Buffers: dz [n, k], dbias [features], dcentre [d] (or length 0: left out), dy,
 * codes, indices [n, k], W [d, features] (read for dcentre only). Params: n, k, features, d.
 */
void encodeGrad(Call& c) {
  Codes s;
  if (!s.read(c, 5) || !holds(c, 0, F32, s.n * s.k) || !holds(c, 1, F32, s.features) || !holds(c, 3, F32, s.n * s.k) ||
      !holds(c, 4, F32, s.n * s.k))
    return;
  bool centred = c.buf[2].length > 0;
  if (centred && (!holds(c, 2, F32, s.d) || !holds(c, 6, F32, s.features * s.d))) return;
  float *dz = f32(c, 0), *dbias = f32(c, 1);
  const float *dy = f32(c, 3), *codes = f32(c, 4);
  for (size_t p = 0; p < s.n * s.k; p++) dz[p] = codes[p] > 0.0f ? dy[p] : 0.0f;
  if (s.features > 0) __builtin_memset(dbias, 0, s.features * sizeof(float));
  eachCode(s, dz, [&](size_t p) { dbias[s.indices[p]] += dz[p]; });
  if (!centred) return;
  forRange(s.d, most<size_t>(1, (1 << 14) / most<size_t>(1, s.features)), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) f32(c, 2)[i] = -dotOf(f32(c, 6) + i * s.features, dbias, s.features);
  });
}

/**
 * out[:, f] = Σ over (i, j) with indices[i, j] = f of values[i, j] · x[i]. Buffers: out [d, features], x [n, d], values,
 * indices [n, k]. Params: n, k, features, d.
 */
void sparseOuterColumns(Call& c) {
  Codes s;
  if (!s.read(c, 3) || !holds(c, 0, F32, s.features * s.d) || !holds(c, 1, F32, s.n * s.d) || !holds(c, 2, F32, s.n * s.k)) return;
  bool streams = s.features * s.d * sizeof(float) >= kStreamed;
  eachRun(s, f32(c, 2), f32(c, 1), [&](size_t i, size_t f0, size_t count, const float* run) {
    float* to = f32(c, 0) + i * s.features + f0;
    if (!streams) return void(__builtin_memcpy(to, run, count * sizeof(float)));
    streamOut(to, run, count);
    settle();
  });
}

SAX_END
