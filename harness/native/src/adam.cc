/** @file One Adam or AdamW step in place (Kingma and Ba 2015; Loshchilov and Hutter 2019). */
#include "isa.h"

SAX_BEGIN

/**
 * m = β1 m + (1-β1) g; v = β2 v + (1-β2) g²; p -= lr · decay · p; p -= lr · (m / correction1) / (sqrt(v / correction2) + ε).
 * Buffers: p, m, v, g. Params: lr, β1, β2, ε, decay, correction1, correction2, scale (g is multiplied by it first).
 */
void adam(Call& c) {
  size_t n = c.buf[3].length;
  for (int i = 0; i < 4; i++)
    if (!holds(c, i, F32, n)) return;
  float *p = f32(c, 0), *m = f32(c, 1), *v = f32(c, 2);
  const float* g = f32(c, 3);
  float lr = float(c.p[0]), b1 = float(c.p[1]), b2 = float(c.p[2]), epsilon = float(c.p[3]);
  float keep = float(1.0 - c.p[0] * c.p[4]), r1 = float(1.0 / c.p[5]), r2 = float(1.0 / c.p[6]), scale = float(c.p[7]);
  float a1 = float(1.0 - c.p[1]), a2 = float(1.0 - c.p[2]);
  forRange(n, 1 << 14, [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      float x = g[i] * scale;
      float mi = b1 * m[i] + a1 * x, vi = b2 * v[i] + a2 * x * x;
      m[i] = mi;
      v[i] = vi;
      p[i] = p[i] * keep - lr * (mi * r1) / (__builtin_sqrtf(vi * r2) + epsilon);
    }
  });
}

SAX_END
