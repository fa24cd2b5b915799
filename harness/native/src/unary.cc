/** @file Elementwise functions of one operand, and casts. Semantics of NaN as in tfjs's CPU backend. */
#include "math.h"

extern "C" float sinf(float);
extern "C" float cosf(float);
extern "C" double pow(double, double);

SAX_BEGIN

namespace {

template <class F>
void each(Call& c, size_t grain, F f) {
  size_t n = c.buf[1].length;
  float* out = f32(c, 0);
  const float* x = f32(c, 1);
  forRange(n, grain, [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) out[i] = f(x[i]);
  });
}

inline float roundTowardsEven(float x) {
  float a = absolute(x);
  float r = (a + 8388608.0f) - 8388608.0f;
  return withSign(a < 8388608.0f ? r : a, x);
}
inline float floorOf(float x) {
  float r = roundTowardsEven(x);
  return r > x ? r - 1.0f : r;
}

/** Float to int32 as JavaScript's ToInt32: truncated, modulo 2^32, NaN and infinities to 0. */
inline int32_t toInt32(float x) {
  if (x > -2147483648.0f && x < 2147483648.0f) return static_cast<int32_t>(x);
  if (x != x || x == inf() || x == -inf()) return 0;
  int exponent = ((bitsOf(x) >> 23) & 0xff) - 150;  // |x| = mantissa · 2^exponent, exponent ≥ 8 here
  uint32_t mantissa = (uint32_t(bitsOf(x)) & 0x7fffff) | 0x800000;
  uint32_t magnitude = exponent < 32 ? mantissa << exponent : 0;
  return static_cast<int32_t>(x < 0 ? 0u - magnitude : magnitude);
}

}  // namespace

/** Buffers: out, x (float32, same length). Params: operation (the order of `unaryOperations` in TypeScript), alpha, beta. */
void unary(Call& c) {
  if (!holds(c, 1, F32, 0) || !holds(c, 0, F32, c.buf[1].length)) return;
  constexpr size_t cheap = 1 << 15, costly = 1 << 13;
  float alpha = static_cast<float>(c.p[1]), beta = static_cast<float>(c.p[2]);
  switch (static_cast<int>(c.p[0])) {
    case 0: return each(c, cheap, [](float x) { return absolute(x); });
    case 1: return each(c, cheap, [](float x) { return -x; });
    case 2: return each(c, costly, [](float x) { return expOf(x); });
    case 3: return each(c, costly, [](float x) { return expm1Of(x); });
    case 4: return each(c, costly, [](float x) { return logOf(x); });
    case 5: return each(c, costly, [](float x) { return log1pOf(x); });
    case 6: return each(c, cheap, [](float x) { return __builtin_sqrtf(x); });
    case 7: return each(c, cheap, [](float x) { return 1.0f / __builtin_sqrtf(x); });
    case 8: return each(c, cheap, [](float x) { return x * x; });
    case 9: return each(c, cheap, [](float x) { return x <= 0.0f ? 0.0f : x; });
    case 10: return each(c, cheap, [](float x) { return x <= 0.0f ? 0.0f : x > 6.0f ? 6.0f : x; });
    case 11: return each(c, cheap, [alpha](float x) { return x < 0.0f ? alpha * x : x; });
    case 12: return each(c, costly, [](float x) { return x >= 0.0f ? x : expm1Of(x); });
    case 13: return each(c, costly, [alpha, beta](float x) { return x >= 0.0f ? beta * x : alpha * expm1Of(x); });
    case 14: return each(c, costly, [](float x) { return sigmoidOf(x); });
    case 15: return each(c, costly, [](float x) { return tanhOf(x); });
    case 16: return each(c, cheap, [alpha](float x) { return x > 0.0f ? 1.0f : x != x ? x : alpha; });
    case 17: return each(c, costly, [](float x) { return softplusOf(x); });
    case 18: return each(c, costly, [](float x) { return sinf(x); });
    case 19: return each(c, costly, [](float x) { return cosf(x); });
    case 20: return each(c, cheap, [](float x) { return floorOf(x); });
    case 21: return each(c, cheap, [](float x) { return -floorOf(-x); });
    case 22: return each(c, cheap, [](float x) { return roundTowardsEven(x); });
    case 23: return each(c, cheap, [](float x) { return 1.0f / x; });
    case 24: return each(c, cheap, [](float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : 0.0f; });
    case 25: return each(c, costly, [](float x) { return erfOf(x); });
    case 26: return each(c, cheap, [alpha, beta](float x) { return x > beta ? beta : x < alpha ? alpha : x; });
  }
  c.error = "native unary: unknown operation";
}

/** x^p for the exponents of param 0: 2, 3, 0.5, -0.5, -1, 1; any other through pow in double. Buffers: out, x. */
void powScalar(Call& c) {
  if (!holds(c, 1, F32, 0) || !holds(c, 0, F32, c.buf[1].length)) return;
  constexpr size_t cheap = 1 << 15;
  double p = c.p[0];
  if (p == 2) return each(c, cheap, [](float x) { return x * x; });
  if (p == 3) return each(c, cheap, [](float x) { return float(double(x) * double(x) * double(x)); });
  if (p == 1) return each(c, cheap, [](float x) { return x; });
  if (p == -1) return each(c, cheap, [](float x) { return 1.0f / x; });
  // pow takes -0 to +0 and -inf to +inf where sqrt does not.
  if (p == 0.5) return each(c, cheap, [](float x) { return x == -inf() ? inf() : __builtin_sqrtf(x + 0.0f); });
  if (p == -0.5) return each(c, cheap, [](float x) { return x == -inf() ? 0.0f : 1.0f / __builtin_sqrtf(x + 0.0f); });
  bool infinite = p == inf() || p == -inf();
  each(c, 1 << 10, [p, infinite](float x) {
    if (p != p || (infinite && (x == 1.0f || x == -1.0f))) return notANumber();
    return static_cast<float>(pow(x, p));
  });
}

/** Buffers: out, x, of any two types. Float to int32 as in JavaScript; to bool: 1 where x ≠ 0. */
void cast(Call& c) {
  size_t n = c.buf[1].length;
  Type from = c.buf[1].type, to = c.buf[0].type;
  if (!holds(c, 0, to, n)) return;
  constexpr size_t grain = 1 << 16;
  auto convert = [n](auto* out, const auto* x, auto f) {
    forRange(n, grain, [=](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) out[i] = f(x[i]);
    });
  };
  auto real = [](auto x) { return static_cast<float>(x); };
  auto whole = [](auto x) { return static_cast<int32_t>(x); };
  auto truth = [](auto x) { return static_cast<uint8_t>(x != 0); };
  if (to == F32) {
    if (from == F32) return convert(f32(c, 0), f32(c, 1), real);
    if (from == I32) return convert(f32(c, 0), i32(c, 1), real);
    return convert(f32(c, 0), u8(c, 1), real);
  }
  if (to == I32) {
    if (from == F32) return convert(i32(c, 0), f32(c, 1), [](float x) { return toInt32(x); });
    if (from == I32) return convert(i32(c, 0), i32(c, 1), whole);
    return convert(i32(c, 0), u8(c, 1), whole);
  }
  if (from == F32) return convert(u8(c, 0), f32(c, 1), truth);
  if (from == I32) return convert(u8(c, 0), i32(c, 1), truth);
  convert(u8(c, 0), u8(c, 1), truth);
}

SAX_END
