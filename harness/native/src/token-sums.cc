/** @file Sums over each row, in double: of activations and their reconstruction, and of codes. */
#include "isa.h"

SAX_BEGIN

namespace {

typedef float vh __attribute__((vector_size(SAX_VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(SAX_VECTOR_BYTES)));
typedef double vdu __attribute__((vector_size(SAX_VECTOR_BYTES), aligned(8), may_alias));
typedef int32_t viu __attribute__((vector_size(SAX_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(SAX_VECTOR_BYTES)));
constexpr size_t kWide = SAX_VECTOR_BYTES / sizeof(double);

inline vd widen(const float* p) { return __builtin_convertvector(*reinterpret_cast<const vh*>(p), vd); }

inline double laneSum(vd v) {
  double sum = 0;
  for (size_t l = 0; l < kWide; l++) sum += v[l];
  return sum;
}

}  // namespace

/**
 * For each row Σx², Σ(x - mean)², and where y is not empty Σ(x - y)², Σy² and Σxy (else 0). Buffers: out [rows, 5] F64,
 * x [rows, n], y (the same, or empty), mean [n] F64. Params: rows, n.
 */
void compareRows(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1);
  bool both = c.buf[2].length > 0;
  if (!holds(c, 0, F64, 5 * rows) || !holds(c, 1, F32, rows * n) || !holds(c, 2, F32, both ? rows * n : 0) ||
      !holds(c, 3, F64, n))
    return;
  const double* mean = f64(c, 3);
  forRange(rows, most<size_t>(1, (size_t{1} << 15) / most<size_t>(n, 1)), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const float* x = f32(c, 1) + r * n;
      const float* y = both ? f32(c, 2) + r * n : x;
      vd square = {}, spread = {}, error = {}, squareY = {}, inner = {};
      size_t j = 0;
      for (; j + kWide <= n; j += kWide) {
        vd a = widen(x + j), b = widen(y + j), off = a - *reinterpret_cast<const vdu*>(mean + j);
        square += a * a;
        spread += off * off;
        error += (a - b) * (a - b);
        squareY += b * b;
        inner += a * b;
      }
      double sums[5] = {laneSum(square), laneSum(spread), laneSum(error), laneSum(squareY), laneSum(inner)};
      for (; j < n; j++) {
        double a = x[j], b = y[j], off = a - mean[j];
        sums[0] += a * a;
        sums[1] += off * off;
        sums[2] += (a - b) * (a - b);
        sums[3] += b * b;
        sums[4] += a * b;
      }
      for (size_t s = 0; s < 5; s++) f64(c, 0)[5 * r + s] = s < 2 || both ? sums[s] : 0;
    }
  });
}

/**
 * For each row the number of values that are not 0 and Σ|value|; for each column the number of rows where it is not 0, added
 * to `fires`. Buffers: out [rows, 2] F64, fires [width], x [rows, width]. Params: rows, width. On one thread.
 */
void countCodes(Call& c) {
  size_t rows = sizeParam(c, 0), width = sizeParam(c, 1);
  if (!holds(c, 0, F64, 2 * rows) || !holds(c, 1, I32, width) || !holds(c, 2, F32, rows * width)) return;
  int32_t* fires = i32(c, 1);
  for (size_t r = 0; r < rows; r++) {
    const float* x = f32(c, 2) + r * width;
    vi count = {};
    vd low = {}, high = {};
    int32_t total = 0;
    size_t j = 0;
    for (; j + kLanes <= width; j += kLanes) {
      vi on = load(x + j) != vf{};
      viu* to = reinterpret_cast<viu*>(fires + j);
      count -= on;
      *to -= on;
      vd a = widen(x + j), b = widen(x + j + kWide);
      low += a < 0 ? -a : a;
      high += b < 0 ? -b : b;
    }
    for (size_t l = 0; l < kLanes; l++) total += count[l];
    double size = laneSum(low + high);
    for (; j < width; j++) {
      bool on = x[j] != 0;
      total += on;
      fires[j] += on;
      size += x[j] < 0 ? -double(x[j]) : double(x[j]);
    }
    f64(c, 0)[2 * r] = total;
    f64(c, 0)[2 * r + 1] = size;
  }
}

SAX_END
