/** @file The activation functions of transformers with their gradients, plain or multiplied by a second operand (gated). */
#include "activation.h"

SAX_BEGIN

namespace {

constexpr size_t kGrain = 1 << 13;

}  // namespace

/** y = f(x), or f(x) · up. Buffers: y, x, up (length 0 for none). Params: function. */
void activate(Call& c) {
  size_t n = c.buf[1].length;
  bool gated = c.buf[2].length > 0;
  if (!holds(c, 0, F32, n) || !holds(c, 1, F32, n) || !holds(c, 2, F32, gated ? n : 0)) return;
  float* y = f32(c, 0);
  const float *x = f32(c, 1), *up = f32(c, 2);
  withFunction(c, static_cast<int>(c.p[0]), [=](auto f) {
    forRange(n, kGrain, [=](size_t begin, size_t end) {
      if (gated)
        for (size_t i = begin; i < end; i++) y[i] = f(x[i]).y * up[i];
      else
        for (size_t i = begin; i < end; i++) y[i] = f(x[i]).y;
    });
  });
}

/** Gradients of `activate`. Buffers: dx, dup (length 0 without up), dy, x, up. Params: function. */
void activateGrad(Call& c) {
  size_t n = c.buf[3].length;
  bool gated = c.buf[4].length > 0;
  for (int i = 0; i < 5; i++)
    if (!holds(c, i, F32, gated || (i != 1 && i != 4) ? n : 0)) return;
  float *dx = f32(c, 0), *dup = f32(c, 1);
  const float *dy = f32(c, 2), *x = f32(c, 3), *up = f32(c, 4);
  withFunction(c, static_cast<int>(c.p[0]), [=](auto f) {
    forRange(n, kGrain, [=](size_t begin, size_t end) {
      if (!gated) {
        for (size_t i = begin; i < end; i++) dx[i] = dy[i] * f(x[i]).slope;
        return;
      }
      for (size_t i = begin; i < end; i++) {
        auto at = f(x[i]);
        dup[i] = dy[i] * at.y;
        dx[i] = dy[i] * up[i] * at.slope;
      }
    });
  });
}

SAX_END
