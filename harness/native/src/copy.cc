/** @file Strided copies: transpose, slice, concat, pad, tile and reverse are all one of these. */
#include "transpose.h"
#include "walk.h"

SAX_BEGIN

namespace {

/** out[r * step + k] = in[r + k * si] for one block; whole quarters of it through registers. */
template <class T>
inline void block(T* out, const T* in, size_t r0, size_t r1, size_t c0, size_t c1, ptrdiff_t step, ptrdiff_t si) {
  size_t r = r0;
  if constexpr (sizeof(T) == 4) {
    if (step > 0 && si > 0)
      for (; r + 4 <= r1; r += 4) {
        size_t k = c0;
        for (; k + 4 <= c1; k += 4)
          transpose4(reinterpret_cast<float*>(out) + r * size_t(step) + k, size_t(step),
                     reinterpret_cast<const float*>(in) + r + k * size_t(si), size_t(si));
        for (; k < c1; k++)
          for (size_t i = r; i < r + 4; i++) out[i * size_t(step) + k] = in[i + k * size_t(si)];
      }
  }
  for (; r < r1; r++)
    for (size_t k = c0; k < c1; k++) out[ptrdiff_t(r) * step + ptrdiff_t(k)] = in[ptrdiff_t(r) + ptrdiff_t(k) * si];
}

/** Element types by size only. */
template <class T>
void copyOf(Call& c, const Walk<2>& w, ptrdiff_t outAt, ptrdiff_t inAt) {
  T* out = static_cast<T*>(c.buf[0].data) + outAt;
  const T* in = static_cast<const T*>(c.buf[1].data) + inAt;
  size_t last = w.rank - 1;
  ptrdiff_t so = w.strides[0][last], si = w.strides[1][last];
  // A transpose: another dimension is contiguous in the input. Square blocks keep both sides within cached lines.
  size_t other = w.rank;
  if (so == 1 && si != 1 && si != 0)
    for (size_t d = 0; d < last; d++)
      if (w.strides[1][d] == 1 && w.dims[d] > 1) other = d;
  if (other < w.rank) {
    constexpr size_t B = 16;
    Walk<2> rest{};
    rest.rank = 0;
    for (size_t d = 0; d < last; d++)
      if (d != other) {
        rest.dims[rest.rank] = w.dims[d];
        for (size_t n = 0; n < 2; n++) rest.strides[n][rest.rank] = w.strides[n][d];
        rest.rank++;
      }
    size_t rows = w.dims[other], cols = w.dims[last], bands = ceilDiv(rows, B);
    ptrdiff_t step = w.strides[0][other];
    size_t matrices = 1;
    for (size_t d = 0; d < rest.rank; d++) matrices *= rest.dims[d];
    if (rows == 0 || cols == 0) return;
    forRange(matrices * bands, most<size_t>(1, (1 << 14) / (B * cols)), [&](size_t begin, size_t end) {
      for (size_t t = begin; t < end; t++) {
        ptrdiff_t o = 0, i = 0;
        size_t left = t / bands;
        for (size_t d = rest.rank; d-- > 0;) {
          ptrdiff_t at = static_cast<ptrdiff_t>(left % rest.dims[d]);
          left /= rest.dims[d];
          o += at * rest.strides[0][d];
          i += at * rest.strides[1][d];
        }
        size_t r0 = t % bands * B, r1 = least(rows, r0 + B);
        for (size_t c0 = 0; c0 < cols; c0 += B)
          block(out + o, in + i, r0, r1, c0, least(cols, c0 + B), step, si);
      }
    });
    return;
  }
  w.run(1 << 15, [=](size_t, const ptrdiff_t* at, size_t n) {
    T* o = out + at[0];
    const T* x = in + at[1];
    if (so == 1 && si == 1) {
      if (n >= 16) __builtin_memcpy(o, x, n * sizeof(T));
      else
        for (size_t i = 0; i < n; i++) o[i] = x[i];
    } else if (so == 1 && si == 0) {
      T v = *x;
      for (size_t i = 0; i < n; i++) o[i] = v;
    } else {
      for (size_t i = 0; i < n; i++) o[ptrdiff_t(i) * so] = x[ptrdiff_t(i) * si];
    }
  });
}

/** The smallest and largest element that a strided walk touches lie within the buffer. */
bool within(Call& c, const Walk<2>& w, size_t n, ptrdiff_t start) {
  ptrdiff_t low = start, high = start;
  for (size_t d = 0; d < w.rank; d++) {
    ptrdiff_t reach, *end;
    bool wraps = __builtin_mul_overflow(static_cast<ptrdiff_t>(w.dims[d] - 1), w.strides[n][d], &reach);
    end = reach < 0 ? &low : &high;
    if (wraps || __builtin_add_overflow(*end, reach, end)) low = high = -1;
  }
  if (low >= 0 && high >= 0 && static_cast<size_t>(high) < c.buf[n].length) return true;
  c.error = "native copy: the strides leave the array";
  return false;
}

}  // namespace

/** Buffers: out, in (one type). Params: first element of out and of in, then a walk with the strides of out and of in. */
void copy(Call& c) {
  Walk<2> w;
  if (!w.read(c, 2) || !holds(c, 1, c.buf[0].type, 0)) return;
  if (w.size() == 0) return;
  if (!(c.p[0] >= 0 && c.p[0] <= kMostElements && c.p[1] >= 0 && c.p[1] <= kMostElements)) {
    c.error = "native copy: a start is missing or out of range";
    return;
  }
  ptrdiff_t outAt = static_cast<ptrdiff_t>(c.p[0]), inAt = static_cast<ptrdiff_t>(c.p[1]);
  if (!within(c, w, 0, outAt) || !within(c, w, 1, inAt)) return;
  if (c.buf[0].type == U8) return copyOf<uint8_t>(c, w, outAt, inAt);
  copyOf<int32_t>(c, w, outAt, inAt);
}

/** Buffers: out. Params: value. */
void fill(Call& c) {
  double value = c.p[0];
  auto set = [&](auto* out, auto v) {
    forRange(c.buf[0].length, 1 << 17, [=](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) out[i] = v;
    });
  };
  if (c.buf[0].type == F32) return set(f32(c, 0), static_cast<float>(value));
  if (c.buf[0].type == I32) return set(i32(c, 0), static_cast<int32_t>(value));
  set(u8(c, 0), static_cast<uint8_t>(value));
}

/** out[i] = condition[i] ? t[i] : e[i], all of one length. Buffers: out, condition (bool), t, e. */
void select(Call& c) {
  size_t n = c.buf[1].length;
  Type type = c.buf[0].type;
  if (!holds(c, 0, type, n) || !holds(c, 1, U8, n) || !holds(c, 2, type, n) || !holds(c, 3, type, n)) return;
  const uint8_t* when = u8(c, 1);
  auto pick = [&](auto* out, const auto* t, const auto* e) {
    forRange(n, 1 << 15, [=](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) {
        auto x = t[i];
        auto y = e[i];
        out[i] = when[i] == 1 ? x : y;
      }
    });
  };
  if (type == U8) return pick(u8(c, 0), u8(c, 2), u8(c, 3));
  pick(i32(c, 0), i32(c, 2), i32(c, 3));
}

SAX_END
