/**
 * @file One Adam or AdamW step (Kingma and Ba 2015; Loshchilov and Hutter 2019) in one pass over memory, with what
 * dictionaries need in the same pass: a common factor on the gradients, and rows that stay on the unit sphere.
 */
#include "adam.h"

// Outputs may be the inputs, element by element, which the compiler cannot know to be harmless to vectors.
#if defined(__clang__)
#define SAX_SAME_PLACE _Pragma("clang loop vectorize(assume_safety)")
#else
#define SAX_SAME_PLACE _Pragma("GCC ivdep")
#endif

SAX_BEGIN

namespace {

/** Σ (g − along · row)². */
inline float squaresBeside(const float* g, const float* row, float along, size_t n) {
  vf x = {}, y = {};
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    vf a = load(g + i) - along * load(row + i), b = load(g + i + kLanes) - along * load(row + i + kLanes);
    x += a * a;
    y += b * b;
  }
  float sum = sumLanes(x + y);
  for (; i < n; i++) sum += (g[i] - along * row[i]) * (g[i] - along * row[i]);
  return sum;
}

}  // namespace

AdamStep::AdamStep(Call& c)
    : newP(f32(c, 0)), newM(f32(c, 1)), newV(f32(c, 2)), p(f32(c, 3)), m(f32(c, 4)), v(f32(c, 5)),
      rate(float(c.p[0] / c.p[5])), b1(float(c.p[1])), b2(float(c.p[2])), a1(float(1.0 - c.p[1])), a2(float(1.0 - c.p[2])),
      epsilon(float(c.p[3])), keep(float(1.0 - c.p[0] * c.p[4])), root(float(1.0 / __builtin_sqrt(c.p[6]))) {}

void AdamStep::run(size_t at, size_t n, const float* g, float factor, float along) const {
  const float *fromP = p + at, *fromM = m + at, *fromV = v + at;
  float *toP = newP + at, *toM = newM + at, *toV = newV + at;
  // Copies stay in registers: what is written could otherwise be one of them.
  const float rate = this->rate, b1 = this->b1, b2 = this->b2, a1 = this->a1, a2 = this->a2, epsilon = this->epsilon,
              keep = this->keep, root = this->root;
  SAX_SAME_PLACE
  for (size_t i = 0; i < n; i++) {
    float x = factor * (g[i] - along * fromP[i]);
    float mi = b1 * fromM[i] + a1 * x, vi = b2 * fromV[i] + a2 * x * x;
    toM[i] = mi;
    toV[i] = vi;
    toP[i] = fromP[i] * keep - rate * mi / (__builtin_sqrtf(vi) * root + epsilon);
  }
}

void AdamStep::runUnit(size_t at, size_t n, const float* g, float factor) const {
  run(at, n, g, factor, dotOf(g, p + at, n));
  float* row = newP + at;
  float norm = __builtin_sqrtf(dotOf(row, row, n));
  float inverse = 1.0f / (norm > 1e-12f ? norm : 1e-12f);
  for (size_t i = 0; i < n; i++) row[i] *= inverse;
}

/**
 * g = scale · gradient; m = β1 m + (1-β1) g; v = β2 v + (1-β2) g²; p -= lr · decay · p;
 * p -= lr · (m / correction1) / (sqrt(v / correction2) + ε). With `unitRows` the gradient first loses its component along
 * each row of p, and the new rows are scaled to unit length (a zero row stays zero).
 * Buffers: new p, m, v (which may be the old ones), p, m, v, gradient, scale [1]. Params: lr, β1, β2, ε, decay,
 * correction1, correction2, unitRows, width of a row.
 */
void adamStep(Call& c) {
  size_t n = c.buf[6].length, width = sizeParam(c, 8);
  for (int i = 0; i < 7; i++)
    if (!holds(c, i, F32, n)) return;
  if (!holds(c, 7, F32, 1)) return;
  AdamStep s(c);
  const float* g = f32(c, 6);
  float scale = f32(c, 7)[0];
  if (c.p[7] == 0)
    return forRange(n, 1 << 14, [&](size_t begin, size_t end) { s.run(begin, end - begin, g + begin, scale, 0.0f); });
  if (width == 0 || n % width != 0) {
    c.error = "native adam: the parameter has no whole rows";
    return;
  }
  forRange(n / width, most<size_t>(1, (1 << 14) / width), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) s.runUnit(r * width, width, g + r * width, scale);
  });
}

/**
 * out[0] = Σ g², with `rows` (length 0 for none) of g less its component along each row of `rows`. The sum runs over fixed
 * pieces, in order. Buffers: out [1], g, rows. Param: width of a row.
 */
void gradSquares(Call& c) {
  size_t n = c.buf[1].length, width = sizeParam(c, 0);
  bool tangent = c.buf[2].length > 0;
  if (!holds(c, 0, F32, 1) || !holds(c, 1, F32, n) || !holds(c, 2, F32, tangent ? n : 0)) return;
  if (tangent && (width == 0 || n % width != 0)) {
    c.error = "native gradient squares: the gradient has no whole rows";
    return;
  }
  const float *g = f32(c, 1), *rows = f32(c, 2);
  size_t grain = tangent ? most<size_t>(1, (1 << 14) / width) * width : 1 << 14;
  size_t pieces = ceilDiv(n, grain);
  double* sums = static_cast<double*>(scratch(3, most<size_t>(1, pieces) * sizeof(double)));
  forTasks(pieces, [&](size_t piece) {
    size_t end = least(n, (piece + 1) * grain);
    double sum = 0;
    size_t step = tangent ? width : 1 << 11;
    for (size_t at = piece * grain; at < end; at += step) {
      size_t count = least(step, end - at);
      if (!tangent) {
        sum += double(dotOf(g + at, g + at, count));
        continue;
      }
      sum += double(squaresBeside(g + at, rows + at, dotOf(g + at, rows + at, count), count));
    }
    sums[piece] = sum;
  });
  double total = 0;
  for (size_t piece = 0; piece < pieces; piece++) total += sums[piece];
  f32(c, 0)[0] = static_cast<float>(total);
}

SAX_END
