/** @file Elementwise functions of two operands with broadcasting; semantics of NaN, infinities and int32 as in JavaScript. */
#include "math.h"
#include "walk.h"

extern "C" double pow(double, double);
extern "C" double fmod(double, double);
extern "C" double atan2(double, double);

SAX_BEGIN

namespace {

constexpr size_t kCheap = 1 << 15, kCostly = 1 << 12;  // elements per task

// int32 wraps around, through uint32.
struct Add {
  static float of(float a, float b) { return a + b; }
  static int32_t of(int32_t a, int32_t b) { return static_cast<int32_t>(uint32_t(a) + uint32_t(b)); }
};
struct Sub {
  static float of(float a, float b) { return a - b; }
  static int32_t of(int32_t a, int32_t b) { return static_cast<int32_t>(uint32_t(a) - uint32_t(b)); }
};
struct Mul {
  static float of(float a, float b) { return a * b; }
  static int32_t of(int32_t a, int32_t b) { return static_cast<int32_t>(uint32_t(a) * uint32_t(b)); }
};
struct Max {
  static float of(float a, float b) { return a > b || a != a ? a : b; }
  static int32_t of(int32_t a, int32_t b) { return a > b ? a : b; }
};
struct Min {
  static float of(float a, float b) { return a < b || a != a ? a : b; }
  static int32_t of(int32_t a, int32_t b) { return a < b ? a : b; }
};
struct SquaredDifference {
  static float of(float a, float b) { return (a - b) * (a - b); }
  static int32_t of(int32_t a, int32_t b) {
    uint32_t d = uint32_t(a) - uint32_t(b);
    return static_cast<int32_t>(d * d);
  }
};
struct Equal {
  template <class T>
  static uint8_t of(T a, T b) { return a == b; }
};
struct NotEqual {
  template <class T>
  static uint8_t of(T a, T b) { return a != b; }
};
struct Less {
  template <class T>
  static uint8_t of(T a, T b) { return a < b; }
};
struct LessEqual {
  template <class T>
  static uint8_t of(T a, T b) { return a <= b; }
};
struct Greater {
  template <class T>
  static uint8_t of(T a, T b) { return a > b; }
};
struct GreaterEqual {
  template <class T>
  static uint8_t of(T a, T b) { return a >= b; }
};
struct And {
  static uint8_t of(uint8_t a, uint8_t b) { return a ? b : a; }
};
struct Or {
  static uint8_t of(uint8_t a, uint8_t b) { return a ? a : b; }
};
struct Div {
  static float of(float a, float b) { return a / b; }
};
struct Pow {
  static float of(float a, float b) {
    // JavaScript, unlike C: 1^NaN, 1^±inf and (-1)^±inf are NaN.
    if (b != b || ((a == 1.0f || a == -1.0f) && (b == inf() || b == -inf()))) return notANumber();
    return static_cast<float>(pow(a, b));
  }
};
struct Prelu {
  static float of(float x, float a) { return x < 0.0f ? a * x : x; }
};
struct EluGrad {
  static float of(float dy, float y) { return y >= 0.0f ? dy : dy * (y + 1.0f); }
};
struct ReluGrad {
  // The product, as tfjs has it: an infinite gradient that does not pass is NaN there.
  static float of(float dy, float y) { return dy * (y > 0.0f ? 1.0f : y != y ? y : 0.0f); }
};
struct Mod {
  static float of(float a, float b) {
    double rest = fmod(a, b);
    if ((a < 0 && b < 0) || (a >= 0 && b >= 0)) return static_cast<float>(rest);
    return static_cast<float>(fmod(rest + b, b));
  }
};
struct Atan2 {
  static float of(float a, float b) { return static_cast<float>(atan2(a, b)); }
};

typedef void (*Loop)(void* out, const void* a, const void* b, size_t n, bool aRepeats, bool bRepeats);

/** One stretch of the last dimension: its operands are dense there, or one value repeated. */
template <class Op, class T, class R>
void loop(void* out, const void* a, const void* b, size_t n, bool aRepeats, bool bRepeats) {
  R* o = static_cast<R*>(out);
  const T *x = static_cast<const T*>(a), *y = static_cast<const T*>(b);
  if (aRepeats) {
    T s = *x;
    if (bRepeats) n = 1;
    for (size_t i = 0; i < n; i++) o[i] = Op::of(s, y[i]);
  } else if (bRepeats) {
    T s = *y;
    for (size_t i = 0; i < n; i++) o[i] = Op::of(x[i], s);
  } else {
    for (size_t i = 0; i < n; i++) o[i] = Op::of(x[i], y[i]);
  }
}

constexpr ptrdiff_t sizeOf(Type t) { return t == U8 ? 1 : 4; }

/** The loop over everything: one instance for all operations, which keeps the addon small and quick to compile. */
void drive(Call& c, const Walk<2>& w, size_t grain, Loop loop) {
  ptrdiff_t outSize = sizeOf(c.buf[0].type), inSize = sizeOf(c.buf[1].type);
  char* out = static_cast<char*>(c.buf[0].data);
  const char *a = static_cast<const char*>(c.buf[1].data), *b = static_cast<const char*>(c.buf[2].data);
  bool aRepeats = w.strides[0][w.rank - 1] == 0, bRepeats = w.strides[1][w.rank - 1] == 0;
  w.run(grain, [=](size_t at, const ptrdiff_t* offsets, size_t n) {
    loop(out + ptrdiff_t(at) * outSize, a + offsets[0] * inSize, b + offsets[1] * inSize, n, aRepeats, bRepeats);
  });
}

template <class Op, class T, class R>
void apply(Call& c, const Walk<2>& w, size_t grain) {
  drive(c, w, grain, loop<Op, T, R>);
}

/** T → T on floats and int32. */
template <class Op>
void arithmetic(Call& c, const Walk<2>& w) {
  Type t = c.buf[1].type;
  if (!holds(c, 0, t, w.size()) || !holds(c, 1, t, w.extent(0)) || !holds(c, 2, t, w.extent(1))) return;
  if (t == F32) return apply<Op, float, float>(c, w, kCheap);
  if (t == I32) return apply<Op, int32_t, int32_t>(c, w, kCheap);
  c.error = "native binary: this type is not served";
}

/** Floats only. */
template <class Op>
void real(Call& c, const Walk<2>& w, size_t grain) {
  if (!holds(c, 0, F32, w.size()) || !holds(c, 1, F32, w.extent(0)) || !holds(c, 2, F32, w.extent(1))) return;
  apply<Op, float, float>(c, w, grain);
}

/** T → bool. */
template <class Op>
void compare(Call& c, const Walk<2>& w) {
  Type t = c.buf[1].type;
  if (!holds(c, 0, U8, w.size()) || !holds(c, 1, t, w.extent(0)) || !holds(c, 2, t, w.extent(1))) return;
  if (t == F32) return apply<Op, float, uint8_t>(c, w, kCheap);
  if (t == I32) return apply<Op, int32_t, uint8_t>(c, w, kCheap);
  apply<Op, uint8_t, uint8_t>(c, w, kCheap);
}

template <class Op>
void logical(Call& c, const Walk<2>& w) {
  if (!holds(c, 0, U8, w.size()) || !holds(c, 1, U8, w.extent(0)) || !holds(c, 2, U8, w.extent(1))) return;
  apply<Op, uint8_t, uint8_t>(c, w, kCheap);
}

}  // namespace

/** Buffers: out, a, b. Params: operation (the order of `binaryOperations` in TypeScript), then the walk of a and b. */
void binary(Call& c) {
  Walk<2> w;
  if (!w.read(c, 1)) return;
  switch (static_cast<int>(c.p[0])) {
    case 0: return arithmetic<Add>(c, w);
    case 1: return arithmetic<Sub>(c, w);
    case 2: return arithmetic<Mul>(c, w);
    case 3: return arithmetic<Max>(c, w);
    case 4: return arithmetic<Min>(c, w);
    case 5: return arithmetic<SquaredDifference>(c, w);
    case 6: return real<Div>(c, w, kCheap);
    case 7: return real<Pow>(c, w, kCostly / 4);
    case 8: return real<Prelu>(c, w, kCheap);
    case 9: return real<EluGrad>(c, w, kCheap);
    case 10: return real<Mod>(c, w, kCostly);
    case 11: return real<Atan2>(c, w, kCostly);
    case 12: return real<ReluGrad>(c, w, kCheap);
    case 13: return compare<Equal>(c, w);
    case 14: return compare<NotEqual>(c, w);
    case 15: return compare<Less>(c, w);
    case 16: return compare<LessEqual>(c, w);
    case 17: return compare<Greater>(c, w);
    case 18: return compare<GreaterEqual>(c, w);
    case 19: return logical<And>(c, w);
    case 20: return logical<Or>(c, w);
  }
  c.error = "native binary: unknown operation";
}

SAX_END
