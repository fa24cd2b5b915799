/**
 * @file Reductions over the middle of [outer, reduce, inner]. Sums and products run in double (int32 sums in 64 bits);
 * pieces have fixed sizes, so the result does not depend on the number of threads.
 */
#include "math.h"

SAX_BEGIN

namespace {

// Each has the type A it accumulates in, the type R of its result, and four functions.
struct SumFloat {
  typedef double A;
  typedef float R;
  static A first() { return 0; }
  static A step(A a, float x) { return a + static_cast<double>(x); }
  static A join(A a, A b) { return a + b; }
  static R finish(A a, double scale) { return static_cast<float>(a * scale); }
};
struct SumInt {
  typedef int64_t A;
  typedef int32_t R;
  static A first() { return 0; }
  static A step(A a, int32_t x) { return a + x; }
  static A join(A a, A b) { return a + b; }
  static R finish(A a, double) { return static_cast<int32_t>(static_cast<uint32_t>(a)); }
};
struct Product {
  typedef double A;
  typedef float R;
  static A first() { return 1; }
  static A step(A a, float x) { return a * static_cast<double>(x); }
  static A join(A a, A b) { return a * b; }
  static R finish(A a, double) { return static_cast<float>(a); }
};
template <bool MIN>
struct ExtremeFloat {
  typedef float A;
  typedef float R;
  static A first() { return MIN ? inf() : -inf(); }
  static A step(A a, float x) { return (MIN ? x < a : x > a) || x != x ? x : a; }
  static A join(A a, A b) { return step(a, b); }
  static R finish(A a, double) { return a; }
};
template <bool MIN>
struct ExtremeInt {
  typedef int32_t A;
  typedef int32_t R;
  static A first() { return MIN ? INT32_MAX : INT32_MIN; }
  static A step(A a, int32_t x) { return (MIN ? x < a : x > a) ? x : a; }
  static A join(A a, A b) { return step(a, b); }
  static R finish(A a, double) { return a; }
};
template <bool SOME>
struct Truth {
  typedef uint8_t A;
  typedef uint8_t R;
  static A first() { return SOME ? 0 : 1; }
  static A step(A a, uint8_t x) { return SOME ? a | (x != 0) : a & (x != 0); }
  static A join(A a, A b) { return step(a, b); }
  static R finish(A a, double) { return a; }
};

constexpr size_t kBlock = 1 << 15;  // elements of one piece
constexpr size_t kCols = 512;       // columns accumulated side by side

template <class Red, class T>
typename Red::A reduceRow(const T* x, size_t n) {
  typedef typename Red::A A;
  constexpr size_t W = 16;
  A acc[W];
  for (size_t l = 0; l < W; l++) acc[l] = Red::first();
  size_t j = 0;
  for (; j + W <= n; j += W) {
#pragma GCC unroll 16
    for (size_t l = 0; l < W; l++) acc[l] = Red::step(acc[l], x[j + l]);
  }
  for (size_t l = 0; j < n; j++, l++) acc[l] = Red::step(acc[l], x[j]);
  for (size_t w = W / 2; w > 0; w /= 2)
    for (size_t l = 0; l < w; l++) acc[l] = Red::join(acc[l], acc[l + w]);
  return acc[0];
}

template <>
inline float reduceRow<ExtremeFloat<false>, float>(const float* x, size_t n) { return extremeOf<false>(x, n); }
template <>
inline float reduceRow<ExtremeFloat<true>, float>(const float* x, size_t n) { return extremeOf<true>(x, n); }

/** out[o, i] = finish(reduction over r of x[o, r, i]). */
template <class Red, class T>
void reduce(Call& c, Type type, size_t outer, size_t n, size_t inner, double scale = 1.0) {
  typedef typename Red::A A;
  if (!holds(c, 1, type, times(outer, n, inner)) || !holds(c, 0, type, outer * inner)) return;
  if (outer == 0 || inner == 0) return;
  typename Red::R* out = static_cast<typename Red::R*>(c.buf[0].data);
  const T* x = static_cast<const T*>(c.buf[1].data);
  auto finish = [scale](A a) { return Red::finish(a, scale); };
  if (inner == 1) {
    if (outer < 8 && n > 2 * kBlock) {
      size_t pieces = ceilDiv(n, kBlock);
      A* part = static_cast<A*>(scratch(3, outer * pieces * sizeof(A)));
      forTasks(outer * pieces, [&](size_t t) {
        size_t from = t % pieces * kBlock;
        part[t] = reduceRow<Red>(x + t / pieces * n + from, least(kBlock, n - from));
      });
      for (size_t o = 0; o < outer; o++) {
        A all = Red::first();
        for (size_t p = 0; p < pieces; p++) all = Red::join(all, part[o * pieces + p]);
        out[o] = finish(all);
      }
      return;
    }
    return forRange(outer, most<size_t>(1, kBlock / most<size_t>(n, 1)), [&](size_t begin, size_t end) {
      for (size_t o = begin; o < end; o++) out[o] = finish(reduceRow<Red>(x + o * n, n));
    });
  }
  size_t bands = ceilDiv(inner, kCols);
  auto column = [&](size_t o, size_t j, size_t from, size_t to, A* acc) {
    size_t cols = least(kCols, inner - j);
    for (size_t i = 0; i < cols; i++) acc[i] = Red::first();
    for (size_t r = from; r < to; r++) {
      const T* row = x + (o * n + r) * inner + j;
      for (size_t i = 0; i < cols; i++) acc[i] = Red::step(acc[i], row[i]);
    }
  };
  size_t rowsPerPiece = most<size_t>(16, 2 * kBlock / least(inner, kCols));
  if (outer * bands < 16 && n > rowsPerPiece) {
    size_t pieces = ceilDiv(n, rowsPerPiece), width = least(inner, kCols);
    A* part = static_cast<A*>(scratch(3, outer * bands * pieces * width * sizeof(A)));
    forTasks(outer * bands * pieces, [&](size_t t) {
      size_t p = t % pieces, band = t / pieces % bands, o = t / pieces / bands;
      column(o, band * kCols, p * rowsPerPiece, least(n, (p + 1) * rowsPerPiece), part + t * width);
    });
    for (size_t o = 0; o < outer; o++)
      for (size_t j = 0; j < inner; j++) {
        A all = Red::first();
        for (size_t p = 0; p < pieces; p++)
          all = Red::join(all, part[((o * bands + j / kCols) * pieces + p) * width + j % kCols]);
        out[o * inner + j] = finish(all);
      }
    return;
  }
  size_t grain = most<size_t>(1, kBlock / most<size_t>(1, n * least(inner, kCols)));
  forRange(outer * bands, grain, [&](size_t begin, size_t end) {
    A acc[kCols];
    for (size_t t = begin; t < end; t++) {
      size_t o = t / bands, j = t % bands * kCols, cols = least(kCols, inner - j);
      column(o, j, 0, n, acc);
      for (size_t i = 0; i < cols; i++) out[o * inner + j + i] = finish(acc[i]);
    }
  });
}

/** Index of the first element that is larger (or, with `Min`, smaller) than all before it; a leading NaN wins. */
template <class T, bool Min>
void argExtreme(int32_t* out, const T* x, size_t outer, size_t n, size_t inner) {
  auto better = [](T a, T b) { return Min ? a < b : a > b; };
  forRange(outer * inner, most<size_t>(1, kBlock / most<size_t>(n, 1)), [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; t++) {
      const T* row = x + t / inner * n * inner + t % inner;
      size_t at = 0;
      if (inner == 1 && n > 64) {
        T lanes[16];
        for (T& lane : lanes) lane = row[0];
        size_t j = 0;
        for (; j + 16 <= n; j += 16)
          for (size_t l = 0; l < 16; l++) lanes[l] = better(row[j + l], lanes[l]) ? row[j + l] : lanes[l];
        T top = lanes[0];
        for (T lane : lanes) top = better(lane, top) ? lane : top;
        for (; j < n; j++) top = better(row[j], top) ? row[j] : top;
        if (top == top)
          while (row[at] != top) at++;
      } else {
        for (size_t j = 1; j < n; j++)
          if (better(row[j * inner], row[at * inner])) at = j;
      }
      out[t] = static_cast<int32_t>(at);
    }
  });
}

}  // namespace

/**
 * Buffers: out, x. Params: operation (0 sum, 1 mean, 2 product, 3 max, 4 min, 5 all, 6 any, 7 argmax, 8 argmin), outer,
 * reduce, inner. Mean and product take float32; sum, max, min and the indices float32 or int32; all and any bool.
 */
void reduction(Call& c) {
  size_t outer = sizeParam(c, 1), n = sizeParam(c, 2), inner = sizeParam(c, 3);
  int op = static_cast<int>(c.p[0]);
  bool whole = c.buf[1].type == I32;
  switch (op) {
    case 0:
      if (whole) return reduce<SumInt, int32_t>(c, I32, outer, n, inner);
      return reduce<SumFloat, float>(c, F32, outer, n, inner);
    case 1: return reduce<SumFloat, float>(c, F32, outer, n, inner, 1.0 / static_cast<double>(n));
    case 2: return reduce<Product, float>(c, F32, outer, n, inner);
    case 3:
      if (whole) return reduce<ExtremeInt<false>, int32_t>(c, I32, outer, n, inner);
      return reduce<ExtremeFloat<false>, float>(c, F32, outer, n, inner);
    case 4:
      if (whole) return reduce<ExtremeInt<true>, int32_t>(c, I32, outer, n, inner);
      return reduce<ExtremeFloat<true>, float>(c, F32, outer, n, inner);
    case 5: return reduce<Truth<false>, uint8_t>(c, U8, outer, n, inner);
    case 6: return reduce<Truth<true>, uint8_t>(c, U8, outer, n, inner);
  }
  if (n == 0) {
    c.error = "native reduction: no index of an extreme of nothing";
    return;
  }
  if (!holds(c, 1, whole ? I32 : F32, times(outer, n, inner)) || !holds(c, 0, I32, outer * inner)) return;
  int32_t* out = i32(c, 0);
  bool min = op == 8;
  if (whole) return min ? argExtreme<int32_t, true>(out, i32(c, 1), outer, n, inner) : argExtreme<int32_t, false>(out, i32(c, 1), outer, n, inner);
  min ? argExtreme<float, true>(out, f32(c, 1), outer, n, inner) : argExtreme<float, false>(out, f32(c, 1), outer, n, inner);
}

/** Sums along [outer, n, inner] as they grow. Buffers: out, x (float32 or int32). Params: outer, n, inner, exclusive, reverse. */
void cumulativeSum(Call& c) {
  size_t outer = sizeParam(c, 0), n = sizeParam(c, 1), inner = sizeParam(c, 2);
  bool exclusive = c.p[3] != 0, reverse = c.p[4] != 0;
  Type t = c.buf[1].type;
  if (!holds(c, 1, t, times(outer, n, inner)) || !holds(c, 0, t, times(outer, n, inner))) return;
  auto scan = [&](auto* out, const auto* x) {
    forRange(outer * inner, most<size_t>(1, kBlock / most<size_t>(n, 1)), [&](size_t begin, size_t end) {
      for (size_t s = begin; s < end; s++) {
        size_t base = s / inner * n * inner + s % inner;
        auto sum = x[0];
        sum = 0;
        for (size_t r = 0; r < n; r++) {
          size_t at = base + (reverse ? n - 1 - r : r) * inner;
          auto next = x[at];
          if constexpr (sizeof(*out) == 4 && static_cast<decltype(sum)>(0.5f) == 0)
            next = static_cast<decltype(sum)>(uint32_t(sum) + uint32_t(next));
          else
            next = sum + next;
          out[at] = exclusive ? sum : next;
          sum = next;
        }
      }
    });
  };
  if (t == F32) return scan(f32(c, 0), f32(c, 1));
  if (t == I32) return scan(i32(c, 0), i32(c, 1));
  c.error = "native cumulative sum: this type is not served";
}

SAX_END
