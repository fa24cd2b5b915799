/** @file What a linear model is fitted with: products of a float matrix with vectors of double from either side. */
#include "isa.h"

SAX_BEGIN

namespace {

typedef float vh __attribute__((vector_size(SAX_VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(SAX_VECTOR_BYTES)));
typedef double vdu __attribute__((vector_size(SAX_VECTOR_BYTES), aligned(8), may_alias));
constexpr size_t kWide = SAX_VECTOR_BYTES / sizeof(double);

inline vd widen(const float* p) { return __builtin_convertvector(*reinterpret_cast<const vh*>(p), vd); }
inline vd at(const double* p) { return *reinterpret_cast<const vdu*>(p); }

/** Products of R rows with v. */
template <size_t R>
inline void dots(const float* x, const double* v, size_t cols, double* out) {
  vd sum[R] = {};
  size_t j = 0;
  for (; j + kWide <= cols; j += kWide) {
    vd w = at(v + j);
#pragma GCC unroll 4
    for (size_t r = 0; r < R; r++) sum[r] += widen(x + r * cols + j) * w;
  }
  for (size_t r = 0; r < R; r++) {
    double total = 0;
    for (size_t l = 0; l < kWide; l++) total += sum[r][l];
    for (size_t i = j; i < cols; i++) total += double(x[r * cols + i]) * v[i];
    out[r] = total;
  }
}

/** out += Σ by[r] · row r, of R rows. */
template <size_t R>
inline void add(const float* x, const double* by, size_t cols, double* out) {
  size_t j = 0;
  for (; j + kWide <= cols; j += kWide) {
    vd sum = at(out + j);
#pragma GCC unroll 4
    for (size_t r = 0; r < R; r++) sum += by[r] * widen(x + r * cols + j);
    *reinterpret_cast<vdu*>(out + j) = sum;
  }
  for (; j < cols; j++)
    for (size_t r = 0; r < R; r++) out[j] += by[r] * double(x[r * cols + j]);
}

/** f over the rows, four at a time: f(four or one, first row). */
template <class F>
inline void byRows(size_t rows, const F& f) {
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) f.template operator()<4>(i);
  for (; i < rows; i++) f.template operator()<1>(i);
}

struct Products {
  const float* x;
  const double* v;
  double* out;
  size_t cols;
  template <size_t R>
  void operator()(size_t i) const { dots<R>(x + i * cols, v, cols, out + i); }
};

struct Sums {
  const float* x;
  const double* r;
  double* out;
  size_t cols;
  template <size_t R>
  void operator()(size_t i) const { add<R>(x + i * cols, r + i, cols, out); }
};

struct Curvature {
  const float* x;
  const double* v;
  const double* weights;
  double* out;
  double shift;
  size_t cols;
  template <size_t R>
  void operator()(size_t i) const {
    double by[R];
    dots<R>(x + i * cols, v, cols, by);
    for (size_t r = 0; r < R; r++) {
      by[r] = weights[i + r] * (by[r] + shift);
      out[cols] += by[r];
    }
    add<R>(x + i * cols, by, cols, out);
  }
};

}  // namespace

/** out [rows] = X v. Buffers: out, x [rows, cols], v [cols]; all but x F64. Params: rows, cols. On one thread, as below. */
void matrixTimes(Call& c) {
  size_t rows = sizeParam(c, 0), cols = sizeParam(c, 1);
  if (!holds(c, 0, F64, rows) || !holds(c, 1, F32, rows * cols) || !holds(c, 2, F64, cols)) return;
  byRows(rows, Products{f32(c, 1), f64(c, 2), f64(c, 0), cols});
}

/** out [cols] = Xᵀ r. Buffers: out, x [rows, cols], r [rows]. Params: rows, cols. */
void transposeTimes(Call& c) {
  size_t rows = sizeParam(c, 0), cols = sizeParam(c, 1);
  if (!holds(c, 0, F64, cols) || !holds(c, 1, F32, rows * cols) || !holds(c, 2, F64, rows)) return;
  for (size_t j = 0; j < cols; j++) f64(c, 0)[j] = 0;
  byRows(rows, Sums{f32(c, 1), f64(c, 2), f64(c, 0), cols});
}

/**
 * out [cols] = Xᵀ r with r = weights ⊙ (X v + shift), and behind it Σ r; x is read once. Buffers: out [cols + 1],
 * x [rows, cols], v [cols], weights [rows]. Params: rows, cols, shift.
 */
void curvatureTimes(Call& c) {
  size_t rows = sizeParam(c, 0), cols = sizeParam(c, 1);
  if (!holds(c, 0, F64, cols + 1) || !holds(c, 1, F32, rows * cols) || !holds(c, 2, F64, cols) || !holds(c, 3, F64, rows))
    return;
  for (size_t j = 0; j <= cols; j++) f64(c, 0)[j] = 0;
  byRows(rows, Curvature{f32(c, 1), f64(c, 2), f64(c, 3), f64(c, 0), c.p[2], cols});
}

SAX_END
