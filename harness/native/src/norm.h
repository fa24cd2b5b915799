/** @file RMS norm and layer norm of one row. */
#pragma once
#include "math.h"

SAX_BEGIN

/** Sum of f(i), in 16 lanes of double. */
template <class F>
static inline double total(size_t n, const F& f) {
  double acc[16] = {};
  size_t j = 0;
  for (; j + 16 <= n; j += 16)
    for (size_t l = 0; l < 16; l++) acc[l] += static_cast<double>(f(j + l));
  for (size_t l = 0; j < n; j++, l++) acc[l] += static_cast<double>(f(j));
  for (size_t w = 8; w > 0; w /= 2)
    for (size_t l = 0; l < w; l++) acc[l] += acc[l + w];
  return acc[0];
}

/** What a row was shifted and multiplied by. */
struct Scale {
  float mean, rstd;
};

/** y = (x - mean) · rstd · gain + bias; gain and bias may be null. Not `centred`: mean 0, rstd from the mean square. */
static inline Scale normRow(const float* x, size_t n, const float* gain, const float* bias, double epsilon, bool centred,
                            float* y) {
  double count = static_cast<double>(n);
  float mean = centred ? static_cast<float>(total(n, [&](size_t j) { return x[j]; }) / count) : 0.0f;
  double square = total(n, [&](size_t j) { return (x[j] - mean) * (x[j] - mean); });
  float rstd = static_cast<float>(1.0 / __builtin_sqrt(square / count + epsilon));
  for (size_t j = 0; j < n; j++) y[j] = (x[j] - mean) * rstd;
  if (gain)
    for (size_t j = 0; j < n; j++) y[j] *= gain[j];
  if (bias)
    for (size_t j = 0; j < n; j++) y[j] += bias[j];
  return {mean, rstd};
}

SAX_END
