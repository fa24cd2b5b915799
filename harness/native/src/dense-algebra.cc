/** @file Dense linear algebra in double, of the sizes of an activation: sums of outer products, and Cholesky. */
#include "isa.h"

SAX_BEGIN

namespace {

typedef double vd __attribute__((vector_size(SAX_VECTOR_BYTES), aligned(8), may_alias));
constexpr size_t kDoubles = SAX_VECTOR_BYTES / sizeof(double);

inline vd at(const double* p) { return *reinterpret_cast<const vd*>(p); }
inline void put(double* p, vd v) { *reinterpret_cast<vd*>(p) = v; }

/** Rows of which the outer products are summed in registers. */
constexpr size_t kRows = 64;
/** Columns are padded with zeros to whole tiles of this many registers. */
constexpr size_t kTile = 2 * kDoubles;

/** sums[a … a + 3][b … b + kTile - 1] += Σ over the packed rows. */
inline void addTile(const double* rows, size_t count, size_t width, size_t a, size_t b, double* sums) {
  vd acc[4][2] = {};
  for (size_t r = 0; r < count; r++) {
    const double* row = rows + r * width;
    vd low = at(row + b), high = at(row + b + kDoubles);
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
      acc[i][0] += row[a + i] * low;
      acc[i][1] += row[a + i] * high;
    }
  }
  for (size_t i = 0; i < 4; i++) {
    double* to = sums + (a + i) * width + b;
    put(to, at(to) + acc[i][0]);
    put(to + kDoubles, at(to + kDoubles) + acc[i][1]);
  }
}

/** row[from … n - 1] -= by[0] · first + … of R rows of `step` doubles. */
template <size_t R>
inline void subtract(double* row, const double* first, size_t step, const double* by, size_t from, size_t n) {
  size_t j = from;
  for (; j + kDoubles <= n; j += kDoubles) {
    vd v = at(row + j);
#pragma GCC unroll 4
    for (size_t r = 0; r < R; r++) v -= by[r] * at(first + r * step + j);
    put(row + j, v);
  }
  for (; j < n; j++)
    for (size_t r = 0; r < R; r++) row[j] -= by[r] * first[r * step + j];
}

}  // namespace

/**
 * out [cols, cols] = Σ (x - mean)(x - mean)ᵀ over the rows of x. Buffers: out, x [rows, cols] F32, mean [cols]; all but x
 * F64. Params: rows, cols. On one thread, as below.
 */
void outerSums(Call& c) {
  size_t rows = sizeParam(c, 0), cols = sizeParam(c, 1);
  if (!holds(c, 0, F64, cols * cols) || !holds(c, 1, F32, rows * cols) || !holds(c, 2, F64, cols)) return;
  size_t width = ceilDiv(cols, kTile) * kTile;
  double* sums = static_cast<double*>(scratch(0, (width + kRows) * width * sizeof(double) + 64));
  double* packed = sums + width * width;
  for (size_t i = 0; i < (width + kRows) * width; i++) sums[i] = 0;
  for (size_t first = 0; first < rows; first += kRows) {
    size_t count = least(kRows, rows - first);
    for (size_t r = 0; r < count; r++)
      for (size_t j = 0; j < cols; j++) packed[r * width + j] = double(f32(c, 1)[(first + r) * cols + j]) - f64(c, 2)[j];
    // The lower triangle.
    for (size_t a = 0; a < cols; a += 4)
      for (size_t b = 0; b < a + 4; b += kTile) addTile(packed, count, width, a, b, sums);
  }
  double* out = f64(c, 0);
  for (size_t a = 0; a < cols; a++)
    for (size_t b = 0; b <= a; b++) out[a * cols + b] = out[b * cols + a] = sums[a * width + b];
}

/**
 * Lower-triangular L with L Lᵀ = the symmetric matrix whose lower triangle is read. Buffers: L [n, n], matrix [n, n], state
 * [1]: the first row that is not positive definite, or -1; all F64. Params: n.
 */
void cholesky(Call& c) {
  size_t n = sizeParam(c, 0);
  if (!holds(c, 0, F64, n * n) || !holds(c, 1, F64, n * n) || !holds(c, 2, F64, 1)) return;
  double* L = f64(c, 0);
  const double* matrix = f64(c, 1);
  // Row k of `upper` is column k of L, from k on: what is taken off the rows behind is contiguous.
  double* upper = static_cast<double*>(scratch(0, (n * n + 1) * sizeof(double)));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) upper[j * n + i] = matrix[i * n + j];
  f64(c, 2)[0] = -1;
  for (size_t k = 0; k < n; k += 4) {
    size_t wide = least<size_t>(4, n - k);
    for (size_t r = k; r < k + wide; r++) {
      double* row = upper + r * n;
      for (size_t s = k; s < r; s++) subtract<1>(row, upper + s * n, n, upper + s * n + r, r, n);
      if (!(row[r] > 0)) {
        f64(c, 2)[0] = double(r);
        return;
      }
      double root = __builtin_sqrt(row[r]);
      row[r] = root;
      for (size_t j = r + 1; j < n; j++) row[j] /= root;
    }
    // Rows are left only where all four stood.
    for (size_t i = k + wide; i < n; i++) {
      double by[4];
      for (size_t r = 0; r < 4; r++) by[r] = upper[(k + r) * n + i];
      subtract<4>(upper + i * n, upper + k * n, n, by, i, n);
    }
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) L[i * n + j] = j <= i ? upper[j * n + i] : 0;
}

/** Replaces b by x with L Lᵀ x = b. Buffers: b [n], L [n, n]; F64. Params: n. */
void choleskySolve(Call& c) {
  size_t n = sizeParam(c, 0);
  if (!holds(c, 0, F64, n) || !holds(c, 1, F64, n * n)) return;
  double* x = f64(c, 0);
  const double* L = f64(c, 1);
  for (size_t i = 0; i < n; i++) {
    const double* row = L + i * n;
    vd sums = {};
    size_t k = 0;
    for (; k + kDoubles <= i; k += kDoubles) sums += at(row + k) * at(x + k);
    double sum = x[i];
    for (size_t l = 0; l < kDoubles; l++) sum -= sums[l];
    for (; k < i; k++) sum -= row[k] * x[k];
    x[i] = sum / row[i];
  }
  for (size_t i = n; i-- > 0;) {
    x[i] /= L[i * n + i];
    subtract<1>(x, L + i * n, n, x + i, 0, i);
  }
}

SAX_END
