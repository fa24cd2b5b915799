/** @file The gradients of a linear encoder from those of the few codes that are above 0. */
#include "codes.h"
#include "stream.h"

SAX_BEGIN

namespace {

constexpr size_t kWidest = 64;  // columns at a time: a run of memory in each row of out

/** Columns that one task makes: as many as leave their rows in the second level of the cache. */
inline size_t columnsOf(size_t d) { return least(kWidest, most<size_t>(16, (1 << 16) / most<size_t>(1, d) / 16 * 16)); }

/** Columns [f0, f0 + count) of out [d, features], from their rows [count, d] at `step`, turned in cache. */
void writeColumns(const Codes& s, const float* rows, size_t step, size_t f0, size_t count, bool streams, float* out) {
  float turned[4 * kWidest];
  for (size_t i = 0; i < s.d; i += 4) {
    size_t now = least<size_t>(4, s.d - i), f = 0;
    if (now == 4)
      for (; f + 4 <= count; f += 4) transpose4(turned + f, kWidest, rows + f * step + i, step);
    for (; f < count; f++)
      for (size_t r = 0; r < now; r++) turned[r * kWidest + f] = rows[f * step + i + r];
    for (size_t r = 0; r < now; r++) {
      float* to = out + (i + r) * s.features + f0;
      if (streams) streamOut(to, turned + r * kWidest, count);
      else __builtin_memcpy(to, turned + r * kWidest, count * sizeof(float));
    }
  }
}

}  // namespace

/**
 * With dz = dy where codes > 0 and else 0: dW[:, f] = Σ dz[i, j] · x[i] and dbias[f] = Σ dz[i, j], both over (i, j) with
 * indices[i, j] = f; dcentre = −W · dbias. Buffers: dW [d, features], dbias [features], dcentre [d] (or length 0: left out),
 * x [n, d], dy, codes, indices [n, k], W [d, features] (read for dcentre only). Params: n, k, features, d.
 */
void encodeGrad(Call& c) {
  Codes s;
  if (!s.read(c, 6) || !holds(c, 0, F32, s.features * s.d) || !holds(c, 1, F32, s.features) || !holds(c, 3, F32, s.n * s.d) ||
      !holds(c, 4, F32, s.n * s.k) || !holds(c, 5, F32, s.n * s.k))
    return;
  bool centred = c.buf[2].length > 0;
  if (centred && (!holds(c, 2, F32, s.d) || !holds(c, 7, F32, s.features * s.d))) return;
  float *dbias = f32(c, 1), *dz = static_cast<float*>(scratch(4, most<size_t>(1, s.n * s.k) * sizeof(float)));
  const float *dy = f32(c, 4), *codes = f32(c, 5);
  for (size_t p = 0; p < s.n * s.k; p++) dz[p] = codes[p] > 0.0f ? dy[p] : 0.0f;
  ByFeature sorted(s, dz);
  bool streams = s.features * s.d * sizeof(float) >= kStreamed;
  // A step of an odd number of cache lines: rows side by side do not compete for one place in the cache.
  size_t columns = columnsOf(s.d), step = (s.d / 32 * 2 + 3) * 16;
  forTasks(ceilDiv(s.features, columns), [&](size_t block) {
    size_t f0 = block * columns, count = least(columns, s.features - f0);
    float* rows = static_cast<float*>(scratch(2, columns * step * sizeof(float)));
    for (size_t f = 0; f < count; f++) {
      sorted.sum(s, f0 + f, dz, f32(c, 3), rows + f * step);
      dbias[f0 + f] = sorted.total(f0 + f, dz);
    }
    writeColumns(s, rows, step, f0, count, streams, f32(c, 0));
    if (streams) settle();
  });
  if (!centred) return;
  forRange(s.d, most<size_t>(1, (1 << 14) / most<size_t>(1, s.features)), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) f32(c, 2)[i] = -dotOf(f32(c, 7) + i * s.features, dbias, s.features);
  });
}

SAX_END
