/**
 * @file exp, log, tanh and their kin without branches, so that the compiler vectorises the loops that call them. Errors
 * stay within about 2 units in the last place; subnormals, infinities and NaN behave as in C. Polynomials: Cephes
 * (S. Moshier), exp and log; erf: N. Juffa's minimax polynomials.
 */
#pragma once
#include "isa.h"

SAX_BEGIN

static inline int32_t bitsOf(float x) {
  int32_t i;
  __builtin_memcpy(&i, &x, 4);
  return i;
}
static inline float floatOf(int32_t i) {
  float x;
  __builtin_memcpy(&x, &i, 4);
  return x;
}
static inline float inf() { return __builtin_inff(); }
static inline float notANumber() { return __builtin_nanf(""); }
static inline float withSign(float magnitude, float sign) {
  return floatOf((bitsOf(magnitude) & 0x7fffffff) | (bitsOf(sign) & static_cast<int32_t>(0x80000000)));
}
static inline float absolute(float x) { return floatOf(bitsOf(x) & 0x7fffffff); }
/** 2^n for n in [-126, 127]. */
static inline float powerOfTwo(int32_t n) { return floatOf((n + 127) << 23); }

constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding and taking it away rounds to the nearest integer
constexpr float kLog2E = 1.44269504088896341f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

/** exp(r) - 1 for |r| ≤ ln(2)/2. */
static inline float smallExpm1(float r) {
  float q = 1.9875691500e-4f;
  q = q * r + 1.3981999507e-3f;
  q = q * r + 8.3334519073e-3f;
  q = q * r + 4.1665795894e-2f;
  q = q * r + 1.6666665459e-1f;
  q = q * r + 5.0000001201e-1f;
  return q * (r * r) + r;
}

static inline float expOf(float x) {
  float c = x < -104.0f ? -104.0f : x;
  c = c > 89.0f ? 89.0f : c;
  float shifted = c * kLog2E + kRound;
  int32_t n = bitsOf(shifted) - bitsOf(kRound);
  float whole = shifted - kRound;
  float r = c - whole * kLn2High;
  r = r - whole * kLn2Low;
  // Two factors: 2^n alone would overflow at the top and flush subnormal results at the bottom. NaN has any n; masked.
  n = x != x ? 0 : n;
  int32_t half = n >> 1;
  return (smallExpm1(r) + 1.0f) * powerOfTwo(half) * powerOfTwo(n - half);
}

static inline float expm1Of(float x) {
  float c = x < -20.0f ? -20.0f : x;
  c = c > 89.0f ? 89.0f : c;
  float shifted = c * kLog2E + kRound;
  int32_t n = bitsOf(shifted) - bitsOf(kRound);
  float whole = shifted - kRound;
  float r = c - whole * kLn2High;
  r = r - whole * kLn2Low;
  n = x != x ? 0 : n;
  float p = smallExpm1(r);
  float t = powerOfTwo(n - 1);
  float y = 2.0f * (t * p + (t - 0.5f));
  return n == 0 ? p : y;
}

static inline float logOf(float x) {
  bool subnormal = x < 1.17549435e-38f;
  float scaled = subnormal ? x * 8388608.0f : x;
  int32_t i = bitsOf(scaled);
  // Through uint32: negative numbers and NaN wrap around here, and are put right at the end.
  int32_t e = static_cast<int32_t>(static_cast<uint32_t>(i) - 0x3f3504f3u) >> 23;
  float f = floatOf(static_cast<int32_t>(static_cast<uint32_t>(i) - (static_cast<uint32_t>(e) << 23))) - 1.0f;
  float n = static_cast<float>(e) - (subnormal ? 23.0f : 0.0f);
  float y = 7.0376836292e-2f;
  y = y * f - 1.1514610310e-1f;
  y = y * f + 1.1676998740e-1f;
  y = y * f - 1.2420140846e-1f;
  y = y * f + 1.4249322787e-1f;
  y = y * f - 1.6668057665e-1f;
  y = y * f + 2.0000714765e-1f;
  y = y * f - 2.4999993993e-1f;
  y = y * f + 3.3333331174e-1f;
  float z = f * f;
  y = y * f * z + n * kLn2Low - 0.5f * z;
  float r = f + y + n * kLn2High;
  r = x == inf() ? x : r;
  r = x == 0.0f ? -inf() : r;
  return x < 0.0f || x != x ? notANumber() : r;
}

static inline float log1pOf(float x) {
  float u = 1.0f + x;
  float r = logOf(u) + (x - (u - 1.0f)) / u;
  r = u == 1.0f ? x : r;
  r = x == -1.0f ? -inf() : r;
  return x == inf() ? x : r;
}

static inline float tanhOf(float x) {
  float a = absolute(x);
  float c = a > 10.0f ? 10.0f : a;
  float e = expm1Of(c + c);
  return withSign(e / (e + 2.0f), x);
}

/** From exp(-|x|), which cannot overflow, so that far below zero the subnormal results are there too. */
static inline float sigmoidOf(float x) {
  float e = expOf(-absolute(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/** tfjs's definition, with its thresholds. */
static inline float softplusOf(float x) {
  constexpr float threshold = -13.942385f;  // ln(2^-23) + 2
  float e = expOf(x);
  float r = log1pOf(e);
  r = x > -threshold ? x : r;
  return x < threshold ? e : r;
}

static inline float erfOf(float x) {
  float t = absolute(x), s = x * x;
  float r = -1.72853470e-5f * t + 3.83197126e-4f;
  float u = -3.88396438e-3f * t + 2.42546219e-2f;
  r = r * s + u;
  r = r * t - 1.06777877e-1f;
  r = r * t - 6.34846687e-1f;
  r = r * t - 1.28717512e-1f;
  r = r * t - t;
  // The clamp keeps inf - inf out of the polynomial; erf is 1 to the last bit long before.
  float far = withSign(1.0f - expOf(t > 9.0f ? -81.0f : r), x);
  float near = -5.96761703e-4f;
  near = near * s + 4.99119423e-3f;
  near = near * s - 2.67681349e-2f;
  near = near * s + 1.12819925e-1f;
  near = near * s - 3.76125336e-1f;
  near = near * s + 1.28379166e-1f;
  near = near * x + x;
  float y = t > 0.927734375f ? far : near;
  return x != x ? x : y;
}

SAX_END
