/** @file One Adam or AdamW step (Kingma and Ba 2015; Loshchilov and Hutter 2019). */
#include "isa.h"

SAX_BEGIN

/**
 * m = β1 m + (1-β1) g; v = β2 v + (1-β2) g²; p -= lr · decay · p; p -= lr · (m / correction1) / (sqrt(v / correction2) + ε).
 * Buffers: new p, m, v (which may be the old ones), p, m, v, g. Params: lr, β1, β2, ε, decay, correction1, correction2.
 */
void adam(Call& c) {
  size_t n = c.buf[6].length;
  for (int i = 0; i < 7; i++)
    if (!holds(c, i, F32, n)) return;
  float *newP = f32(c, 0), *newM = f32(c, 1), *newV = f32(c, 2);
  const float *p = f32(c, 3), *m = f32(c, 4), *v = f32(c, 5), *g = f32(c, 6);
  float rate = float(c.p[0] / c.p[5]), b1 = float(c.p[1]), b2 = float(c.p[2]), epsilon = float(c.p[3]);
  float keep = float(1.0 - c.p[0] * c.p[4]), root = float(1.0 / __builtin_sqrt(c.p[6]));
  float a1 = float(1.0 - c.p[1]), a2 = float(1.0 - c.p[2]);
  forRange(n, 1 << 14, [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      float x = g[i];
      float mi = b1 * m[i] + a1 * x, vi = b2 * v[i] + a2 * x * x;
      newM[i] = mi;
      newV[i] = vi;
      newP[i] = p[i] * keep - rate * mi / (__builtin_sqrtf(vi) * root + epsilon);
    }
  });
}

SAX_END
