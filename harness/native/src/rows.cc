/** @file Kernels over rows (the last dimension): softmax and its gradient, RMS norm, layer norm, and the largest k. */
#include "norm.h"

SAX_BEGIN

namespace {

constexpr size_t kGrain = 1 << 13;

template <class F>
void forRows(size_t rows, size_t n, const F& f) {
  forRange(rows, most<size_t>(1, kGrain / most<size_t>(n, 1)), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) f(r);
  });
}

}  // namespace

/** Buffers: out, x. Params: rows, n, logarithm (0 softmax, 1 log-softmax). */
void softmax(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  if (!holds(c, 0, F32, rows * n) || !holds(c, 1, F32, rows * n)) return;
  bool logarithm = c.p[2] != 0;
  forRows(rows, 2 * n, [&](size_t r) {
    const float* x = f32(c, 1) + r * n;
    float* out = f32(c, 0) + r * n;
    float top = extremeOf<false>(x, n);
    for (size_t j = 0; j < n; j++) out[j] = expOf(x[j] - top);
    double sum = total(n, [&](size_t j) { return out[j]; });
    if (logarithm) {
      float shift = logOf(static_cast<float>(sum));
      for (size_t j = 0; j < n; j++) out[j] = (x[j] - top) - shift;
    } else {
      float divisor = static_cast<float>(sum);
      for (size_t j = 0; j < n; j++) out[j] = out[j] / divisor;
    }
  });
}

/** ln Σ exp of each row. Buffers: out [rows], x. Params: rows, n. */
void logSumExp(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  if (!holds(c, 0, F32, rows) || !holds(c, 1, F32, rows * n)) return;
  forRows(rows, 2 * n, [&](size_t r) {
    const float* x = f32(c, 1) + r * n;
    float* terms = static_cast<float*>(scratch(2, n * sizeof(float)));
    float top = extremeOf<false>(x, n);
    for (size_t j = 0; j < n; j++) terms[j] = expOf(x[j] - top);
    f32(c, 0)[r] = top + logOf(static_cast<float>(total(n, [&](size_t j) { return terms[j]; })));
  });
}

/**
 * Gradient of softmax: dx = (dy - sum(dy · y)) · y, and of log-softmax: dx = dy - sum(dy) · exp(y).
 * Buffers: dx, dy, y. Params: rows, n, logarithm.
 */
void softmaxGrad(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  if (!holds(c, 0, F32, rows * n) || !holds(c, 1, F32, rows * n) || !holds(c, 2, F32, rows * n)) return;
  bool logarithm = c.p[2] != 0;
  forRows(rows, logarithm ? 2 * n : n, [&](size_t r) {
    float* out = f32(c, 0) + r * n;
    const float *dy = f32(c, 1) + r * n, *y = f32(c, 2) + r * n;
    if (logarithm) {
      float sum = static_cast<float>(total(n, [&](size_t j) { return dy[j]; }));
      for (size_t j = 0; j < n; j++) out[j] = dy[j] - sum * expOf(y[j]);
    } else {
      float sum = static_cast<float>(total(n, [&](size_t j) { return dy[j] * y[j]; }));
      for (size_t j = 0; j < n; j++) out[j] = (dy[j] - sum) * y[j];
    }
  });
}

/**
 * y = (x - mean) · rstd · gain + bias over rows; RMS norm when `centred` is 0 (mean taken as 0, rstd from the mean square).
 * Buffers: y, mean [rows], rstd [rows], x, gain [n] or empty, bias [n] or empty. Params: rows, n, epsilon, centred.
 */
void norm(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  bool centred = c.p[3] != 0, scaled = c.buf[4].length > 0, shifted = c.buf[5].length > 0;
  if (!holds(c, 0, F32, rows * n) || !holds(c, 1, F32, rows) || !holds(c, 2, F32, rows) || !holds(c, 3, F32, rows * n) ||
      !holds(c, 4, F32, scaled ? n : 0) || !holds(c, 5, F32, shifted ? n : 0))
    return;
  double epsilon = c.p[2];
  const float *gain = scaled ? f32(c, 4) : nullptr, *bias = shifted ? f32(c, 5) : nullptr;
  forRows(rows, n, [&](size_t r) {
    Scale scale = normRow(f32(c, 3) + r * n, n, gain, bias, epsilon, centred, f32(c, 0) + r * n);
    f32(c, 1)[r] = scale.mean;
    f32(c, 2)[r] = scale.rstd;
  });
}

/**
 * Gradient of `norm` by its input: with g = dy · gain and h = (x - mean) · rstd, dx = rstd · (g - [mean(g)] - h · mean(g · h)),
 * the bracket only when centred; and h itself, from which gain's gradient is sum(dy · h) over rows.
 * Buffers: dx, h, dy, x, mean, rstd, gain or empty. Params: rows, n, centred.
 */
void normGrad(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  bool centred = c.p[2] != 0, scaled = c.buf[6].length > 0;
  for (int i = 0; i < 4; i++)
    if (!holds(c, i, F32, rows * n)) return;
  if (!holds(c, 4, F32, rows) || !holds(c, 5, F32, rows) || !holds(c, 6, F32, scaled ? n : 0)) return;
  forRows(rows, n, [&](size_t r) {
    float *dx = f32(c, 0) + r * n, *h = f32(c, 1) + r * n;
    const float *dy = f32(c, 2) + r * n, *x = f32(c, 3) + r * n, *gain = f32(c, 6);
    float mean = f32(c, 4)[r], rstd = f32(c, 5)[r];
    for (size_t j = 0; j < n; j++) h[j] = (x[j] - mean) * rstd;
    for (size_t j = 0; j < n; j++) dx[j] = scaled ? dy[j] * gain[j] : dy[j];
    double count = static_cast<double>(n);
    float g = centred ? static_cast<float>(total(n, [&](size_t j) { return dx[j]; }) / count) : 0.0f;
    float gh = static_cast<float>(total(n, [&](size_t j) { return dx[j] * h[j]; }) / count);
    for (size_t j = 0; j < n; j++) dx[j] = rstd * (dx[j] - g - h[j] * gh);
  });
}

SAX_END
