/** @file The activation functions of transformers with their gradients, plain or multiplied by a second operand (gated). */
#include "math.h"

SAX_BEGIN

namespace {

constexpr size_t kGrain = 1 << 13;
constexpr float kSqrtHalf = 0.707106781186547524f, kSqrtTwoOverPi = 0.797884560802865356f;
constexpr float kDensity = 0.398942280401432678f;  // 1 / sqrt(2 π)

/** A function's value and slope at x. */
struct Point {
  float y, slope;
};

/** x · sigmoid(c · x): SiLU for c = 1, CLIP's quick GELU for 1.702. */
inline Point sigmoidUnit(float x, float c) {
  float s = sigmoidOf(c * x), y = x * s;
  return {y, s + c * y * (1.0f - s)};
}

inline Point gelu(float x) {
  float phi = 0.5f * (1.0f + erfOf(x * kSqrtHalf));
  return {x * phi, phi + x * kDensity * expOf(-0.5f * x * x)};
}

inline Point geluTanh(float x) {
  float square = 0.044715f * x * x, h = tanhOf(kSqrtTwoOverPi * (x + x * square));
  float slope = kSqrtTwoOverPi * (1.0f + 3.0f * square);
  return {0.5f * x * (1.0f + h), 0.5f * (1.0f + h) + 0.5f * x * (1.0f - h * h) * slope};
}

/** use(f) with the function of param 0: silu, quick_gelu, gelu, gelu_tanh. */
template <class F>
void withFunction(Call& c, const F& use) {
  switch (static_cast<int>(c.p[0])) {
    case 0: return use([](float x) { return sigmoidUnit(x, 1.0f); });
    case 1: return use([](float x) { return sigmoidUnit(x, 1.702f); });
    case 2: return use([](float x) { return gelu(x); });
    case 3: return use([](float x) { return geluTanh(x); });
  }
  c.error = "native activation: unknown function";
}

}  // namespace

/** y = f(x), or f(x) · up. Buffers: y, x, up (length 0 for none). Params: function. */
void activate(Call& c) {
  size_t n = c.buf[1].length;
  bool gated = c.buf[2].length > 0;
  if (!holds(c, 0, F32, n) || !holds(c, 1, F32, n) || !holds(c, 2, F32, gated ? n : 0)) return;
  float* y = f32(c, 0);
  const float *x = f32(c, 1), *up = f32(c, 2);
  withFunction(c, [=](auto f) {
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
  withFunction(c, [=](auto f) {
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
