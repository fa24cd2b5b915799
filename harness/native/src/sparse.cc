/**
 * @file Products of k-sparse codes with a decoder, and their gradients, from the non-zeros only. Sums run in the order of
 * the rows, so results are the same bits for any number of threads.
 */
#include "codes.h"
#include "stream.h"

SAX_BEGIN

/** x̂[i] = Σ_j values[i, j] · W[indices[i, j]]. Buffers: out [n, d], values, indices [n, k], W [features, d]. Params: n, k, features, d. */
void sparseDecode(Call& c) {
  Codes s;
  if (!s.read(c, 2) || !holds(c, 0, F32, s.n * s.d) || !holds(c, 1, F32, s.n * s.k) || !holds(c, 3, F32, s.features * s.d)) return;
  forRange(s.n, s.grain(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const float* values = f32(c, 1) + i * s.k;
      const int32_t* at = s.indices + i * s.k;
      combine(f32(c, 0) + i * s.d, s.d, filledWidth(values, s.k), [&](size_t j) { return values[j]; },
              [&](size_t j) { return f32(c, 3) + size_t(at[j]) * s.d; });
    }
  });
}

/**
 * out[i, j] = dy[i] · W[indices[i, j]], or 0 where codes are given and codes[i, j] is 0. Buffers: out [n, k], dy [n, d], indices,
 * W, codes [n, k] or length 0. Params as above.
 */
void sparseDots(Call& c) {
  Codes s;
  if (!s.read(c, 2) || !holds(c, 0, F32, s.n * s.k) || !holds(c, 1, F32, s.n * s.d) || !holds(c, 3, F32, s.features * s.d)) return;
  const float* codes = c.buf[4].length > 0 ? f32(c, 4) : nullptr;
  if (codes && !holds(c, 4, F32, s.n * s.k)) return;
  forRange(s.n, s.grain(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
      for (size_t p = i * s.k; p < (i + 1) * s.k; p++)
        f32(c, 0)[p] = codes && codes[p] == 0.0f ? 0.0f : dotOf(f32(c, 1) + i * s.d, f32(c, 3) + size_t(s.indices[p]) * s.d, s.d);
  });
}

namespace {

/**
 * out[f] [d] = Σ values[i, j] · dy[i] over the non-zeros of each feature f; before(f) while the rows of dy are near. Without
 * `out` only that.
 */
template <class B>
void sumByFeature(const Codes& s, const ByFeature& sorted, const float* values, const float* dy, float* out, const B& before) {
  bool streams = out && s.features * s.d * sizeof(float) >= kStreamed;
  forRange(s.features, most<size_t>(1, (1 << 14) / most<size_t>(1, s.d)), [&](size_t begin, size_t end) {
    float* row = streams ? static_cast<float*>(scratch(2, s.d * sizeof(float))) : nullptr;
    for (size_t f = begin; f < end; f++) {
      before(f);
      if (!out) continue;
      sorted.sum(s, f, values, dy, streams ? row : out + f * s.d);
      if (streams) streamOut(out + f * s.d, row, s.d);
    }
    if (streams) settle();
  });
}

}  // namespace

/**
 * out[f] = Σ over (i, j) with indices[i, j] = f of values[i, j] · dy[i]. Buffers: out [features, d], dy [n, d], values,
 * indices. Params as above.
 */
void sparseOuter(Call& c) {
  Codes s;
  if (!s.read(c, 3) || !holds(c, 0, F32, s.features * s.d) || !holds(c, 1, F32, s.n * s.d) || !holds(c, 2, F32, s.n * s.k)) return;
  if (s.d == 0) return;
  ByFeature sorted(s, f32(c, 2));
  sumByFeature(s, sorted, f32(c, 2), f32(c, 1), f32(c, 0), [](size_t) {});
}

/**
 * Both gradients of sparseDecode in one pass over the features: as sparseDots with the values for codes, and as sparseOuter.
 * Buffers: dvalues [n, k], dW [features, d] (or length 0: left out), dy [n, d], values, indices, W. Params as above.
 */
void sparseDecodeGrad(Call& c) {
  Codes s;
  bool sums = c.buf[1].length > 0;
  if (!s.read(c, 4) || !holds(c, 0, F32, s.n * s.k) || (sums && !holds(c, 1, F32, s.features * s.d)) ||
      !holds(c, 2, F32, s.n * s.d) || !holds(c, 3, F32, s.n * s.k) || !holds(c, 5, F32, s.features * s.d))
    return;
  float* dvalues = f32(c, 0);
  if (s.n * s.k > 0) __builtin_memset(dvalues, 0, s.n * s.k * sizeof(float));
  if (s.d == 0) return;
  const float *dy = f32(c, 2), *W = f32(c, 5);
  ByFeature sorted(s, f32(c, 3));
  sumByFeature(s, sorted, f32(c, 3), dy, sums ? f32(c, 1) : nullptr, [&](size_t f) {
    if (f + 1 < s.features) bring(W + (f + 1) * s.d, s.d);
    size_t at = f == 0 ? 0 : sorted.starts[f - 1], end = sorted.starts[f];
    for (; at + 4 <= end; at += 4) {
      const float* rows[4];
      float dots[4];
      for (size_t r = 0; r < 4; r++) rows[r] = dy + sorted.order[at + r] / s.k * s.d;
      dotsOf4(W + f * s.d, rows, s.d, dots);
      for (size_t r = 0; r < 4; r++) dvalues[sorted.order[at + r]] = dots[r];
    }
    for (; at < end; at++) dvalues[sorted.order[at]] = dotOf(W + f * s.d, dy + sorted.order[at] / s.k * s.d, s.d);
  });
}

SAX_END
