/** @file The activation functions of transformers, with their slopes. */
#pragma once
#include "math.h"

SAX_BEGIN

constexpr float kSqrtHalf = 0.707106781186547524f, kSqrtTwoOverPi = 0.797884560802865356f;
constexpr float kDensity = 0.398942280401432678f;  // 1 / sqrt(2 π)

/** A function's value and slope at x. */
struct Point {
  float y, slope;
};

/** x · sigmoid(c · x): SiLU for c = 1, CLIP's quick GELU for 1.702. */
static inline Point sigmoidUnit(float x, float c) {
  float s = sigmoidOf(c * x), y = x * s;
  return {y, s + c * y * (1.0f - s)};
}

static inline Point gelu(float x) {
  float phi = 0.5f * (1.0f + erfOf(x * kSqrtHalf));
  return {x * phi, phi + x * kDensity * expOf(-0.5f * x * x)};
}

static inline Point geluTanh(float x) {
  float square = 0.044715f * x * x, h = tanhOf(kSqrtTwoOverPi * (x + x * square));
  float slope = kSqrtTwoOverPi * (1.0f + 3.0f * square);
  return {0.5f * x * (1.0f + h), 0.5f * (1.0f + h) + 0.5f * x * (1.0f - h * h) * slope};
}

/** use(f) with the function of this number: silu, quick_gelu, gelu, gelu_tanh. */
template <class F>
static inline void withFunction(Call& c, int number, const F& use) {
  switch (number) {
    case 0: return use([](float x) { return sigmoidUnit(x, 1.0f); });
    case 1: return use([](float x) { return sigmoidUnit(x, 1.702f); });
    case 2: return use([](float x) { return gelu(x); });
    case 3: return use([](float x) { return geluTanh(x); });
  }
  c.error = "native activation: unknown function";
}

SAX_END
