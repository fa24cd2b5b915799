/** @file What lies above a threshold, and the pseudo-derivatives by which thresholds are learned: one pass each. */
#include "isa.h"

SAX_BEGIN

namespace {

constexpr size_t kGrain = 1 << 14;
constexpr size_t kColumns = 512;  // that are counted side by side

/** f(i, θ) for every i below n; the thresholds repeat. False, with the error recorded, where they do not fit. */
template <class F>
bool eachAgainst(Call& c, size_t n, int thresholds, F f) {
  size_t period = c.buf[thresholds].length;
  if (!holds(c, thresholds, F32, 1)) return false;
  if (n % period != 0) {
    c.error = "native threshold: the thresholds fit no row";
    return false;
  }
  const float* theta = f32(c, thresholds);
  if (period == 1) {
    float only = theta[0];
    forRange(n, kGrain, [=](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) f(i, only);
    });
    return true;
  }
  forRange(n / period, most<size_t>(1, kGrain / period), [=](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++)
      for (size_t j = 0; j < period; j++) f(r * period + j, theta[j]);
  });
  return true;
}

inline float isAbove(float z, float theta) { return z > theta ? 1.0f : 0.0f; }
inline float isNear(float z, float theta, float half) {
  float gap = z - theta;
  return gap < half && -gap < half ? 1.0f : 0.0f;
}

}  // namespace

/**
 * out = z · 1[z > θ], with param 0 other than 0 of z's positive part. Buffers: out, z, θ, which repeats. NaN stays NaN.
 */
void jump(Call& c) {
  size_t n = c.buf[1].length;
  if (!holds(c, 0, F32, n) || !holds(c, 1, F32, n)) return;
  float *out = f32(c, 0), *z = f32(c, 1);
  if (c.p[0] != 0) {
    eachAgainst(c, n, 2, [=](size_t i, float theta) { out[i] = (z[i] < 0.0f ? 0.0f : z[i]) * isAbove(z[i], theta); });
    return;
  }
  eachAgainst(c, n, 2, [=](size_t i, float theta) { out[i] = z[i] * isAbove(z[i], theta); });
}

/** dz = dy · 1[z > θ] and band = dy · 1[|z − θ| < half]. Buffers: dz, band, dy, z, θ, which repeats. Param: half. */
void jumpGrad(Call& c) {
  size_t n = c.buf[3].length;
  for (int i = 0; i < 4; i++)
    if (!holds(c, i, F32, n)) return;
  float half = static_cast<float>(c.p[0]), *dz = f32(c, 0), *band = f32(c, 1), *dy = f32(c, 2), *z = f32(c, 3);
  eachAgainst(c, n, 4, [=](size_t i, float theta) {
    dz[i] = dy[i] * isAbove(z[i], theta);
    band[i] = dy[i] * isNear(z[i], theta, half);
  });
}

/** out = 1[|z − θ| < half]. Buffers: out, z, θ, which repeats. Param: half. */
void band(Call& c) {
  size_t n = c.buf[1].length;
  if (!holds(c, 0, F32, n) || !holds(c, 1, F32, n)) return;
  float half = static_cast<float>(c.p[0]), *out = f32(c, 0), *z = f32(c, 1);
  eachAgainst(c, n, 2, [=](size_t i, float theta) { out[i] = isNear(z[i], theta, half); });
}

/**
 * total = how many z > θ; near[j] = how many of column j have |z − θ| < half. Buffers: total [1], near [m], z [n, m], θ [m]. Param: half.
 */
void thresholdCounts(Call& c) {
  size_t m = c.buf[3].length, size = c.buf[2].length;
  if (!holds(c, 0, F32, 1) || !holds(c, 1, F32, m) || !holds(c, 2, F32, size) || !holds(c, 3, F32, 1)) return;
  size_t n = size / m;
  if (size % m != 0 || n > (size_t{1} << 30)) {
    c.error = "native threshold: the thresholds fit no row";
    return;
  }
  float half = static_cast<float>(c.p[0]), *near = f32(c, 1);
  const float *z = f32(c, 2), *theta = f32(c, 3);
  size_t bands = ceilDiv(m, kColumns);
  int64_t* above = static_cast<int64_t*>(scratch(3, bands * sizeof(int64_t)));
  forTasks(bands, [=](size_t band) {
    size_t j0 = band * kColumns, columns = least(kColumns, m - j0);
    int32_t over[kColumns] = {}, within[kColumns] = {};
    for (size_t r = 0; r < n; r++)
      for (size_t j = 0; j < columns; j++) {
        float value = z[r * m + j0 + j], at = theta[j0 + j];
        over[j] += value > at;
        within[j] += value - at < half && at - value < half;
      }
    above[band] = 0;
    for (size_t j = 0; j < columns; j++) {
      above[band] += over[j];
      near[j0 + j] = static_cast<float>(within[j]);
    }
  });
  int64_t total = 0;
  for (size_t band = 0; band < bands; band++) total += above[band];
  f32(c, 0)[0] = static_cast<float>(total);
}

SAX_END
