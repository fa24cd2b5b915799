/**
 * @file What every kernel source sees: the namespace of the instruction set it is being compiled for, its vector types,
 * and loops over the pool. Kernel sources include no C++ standard header: an inline function of it compiled for AVX-512
 * could be the copy that the linker keeps for every CPU.
 */
#pragma once
#include "call.h"

#if defined(__AVX512F__)
#define SAX_ISA avx512
#define SAX_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define SAX_ISA avx2
#define SAX_VECTOR_BYTES 32
#elif defined(__ARM_NEON) || defined(__aarch64__)
#define SAX_ISA neon
#define SAX_VECTOR_BYTES 16
#else
#define SAX_ISA portable
#define SAX_VECTOR_BYTES 16
#endif

#define SAX_BEGIN namespace sax { namespace SAX_ISA {
#define SAX_END } }

SAX_BEGIN

constexpr size_t kLanes = SAX_VECTOR_BYTES / sizeof(float);
/** A register of floats, and the same at any address. */
typedef float vf __attribute__((vector_size(SAX_VECTOR_BYTES), may_alias));
typedef float vfu __attribute__((vector_size(SAX_VECTOR_BYTES), aligned(4), may_alias));

/** Four floats, at any address. */
typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));

static inline vf load(const float* p) { return *reinterpret_cast<const vfu*>(p); }
static inline void store(float* p, vf v) { *reinterpret_cast<vfu*>(p) = v; }
static inline v4 load4(const float* p) { return *reinterpret_cast<const v4*>(p); }
static inline void store4(float* p, v4 v) { *reinterpret_cast<v4*>(p) = v; }

/** Asks for n floats to be brought into the second level of the cache. */
static inline void bring(const float* p, size_t n) {
  constexpr size_t line = 64 / sizeof(float);
  for (size_t i = 0; i < n; i += line) __builtin_prefetch(p + i, 0, 2);
}

template <class T>
static inline T least(T a, T b) { return a < b ? a : b; }
template <class T>
static inline T most(T a, T b) { return a > b ? a : b; }
static inline size_t ceilDiv(size_t a, size_t b) { return (a + b - 1) / b; }

/** Sum of the lanes, in pairs. */
static inline float sumLanes(vf v) {
  union {
    vf whole;
    v4 part[kLanes / 4];
  } u = {v};
  for (size_t w = kLanes / 8; w > 0; w /= 2)
    for (size_t i = 0; i < w; i++) u.part[i] += u.part[i + w];
  v4 s = u.part[0];
  return (s[0] + s[2]) + (s[1] + s[3]);
}

/** Σ a[i] · b[i]: two registers of lanes, then what is left one by one. */
static inline float dotOf(const float* a, const float* b, size_t n) {
  vf x = {}, y = {};
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    x += load(a + i) * load(b + i);
    y += load(a + i + kLanes) * load(b + i + kLanes);
  }
  float sum = sumLanes(x + y);
  for (; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/** out[r] = dotOf(a, rows[r], n) for four rows side by side, with the same bits. */
static inline void dotsOf4(const float* a, const float* const rows[4], size_t n, float out[4]) {
  vf x[4] = {}, y[4] = {};
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    vf p = load(a + i), q = load(a + i + kLanes);
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
      x[r] += p * load(rows[r] + i);
      y[r] += q * load(rows[r] + i + kLanes);
    }
  }
  for (int r = 0; r < 4; r++) {
    out[r] = sumLanes(x[r] + y[r]);
    for (size_t j = i; j < n; j++) out[r] += a[j] * rows[r][j];
  }
}

/**
 * The largest (or with `MIN` the smallest) of n floats; NaN when one is NaN, minus or plus infinity when there is none.
 * Four registers run side by side to hide the latency of the comparison.
 */
template <bool MIN>
static inline float extremeOf(const float* x, size_t n) {
  float none = MIN ? __builtin_inff() : -__builtin_inff();
  auto better = [](auto v, auto m) { return MIN ? v < m : v > m; };
  vf m[4];
  for (vf& each : m) each = none - vf{};
  size_t j = 0;
  for (; j + 4 * kLanes <= n; j += 4 * kLanes) {
#pragma GCC unroll 4
    for (size_t l = 0; l < 4; l++) {
      vf v = load(x + j + l * kLanes);
      m[l] = (better(v, m[l]) | (v != v)) ? v : m[l];
    }
  }
  for (; j + kLanes <= n; j += kLanes) {
    vf v = load(x + j);
    m[0] = (better(v, m[0]) | (v != v)) ? v : m[0];
  }
  for (size_t l = 1; l < 4; l++) m[0] = (better(m[l], m[0]) | (m[l] != m[l])) ? m[l] : m[0];
  float lanes[kLanes];
  store(lanes, m[0]);
  for (size_t w = kLanes / 2; w > 0; w /= 2)
    for (size_t l = 0; l < w; l++)
      lanes[l] = better(lanes[l + w], lanes[l]) || lanes[l + w] != lanes[l + w] ? lanes[l + w] : lanes[l];
  float top = lanes[0];
  for (; j < n; j++) top = better(x[j], top) || x[j] != x[j] ? x[j] : top;
  return top;
}

/** f(task) for every task, on the pool. */
template <class F>
static inline void forTasks(size_t tasks, const F& f) {
  parallel(tasks, [](void* context, size_t i) { (*static_cast<const F*>(context))(i); },
           const_cast<void*>(static_cast<const void*>(&f)));
}

/** f(begin, end) over pieces of `grain` elements, on the pool: the pieces do not depend on the number of threads. */
template <class F>
static inline void forRange(size_t n, size_t grain, const F& f) {
  if (n == 0) return;
  if (n <= grain) return f(size_t{0}, n);
  forTasks(ceilDiv(n, grain), [&](size_t i) { f(i * grain, least(n, (i + 1) * grain)); });
}

static inline float* f32(Call& c, int i) { return static_cast<float*>(c.buf[i].data); }
static inline double* f64(Call& c, int i) { return static_cast<double*>(c.buf[i].data); }
static inline int32_t* i32(Call& c, int i) { return static_cast<int32_t*>(c.buf[i].data); }
static inline uint8_t* u8(Call& c, int i) { return static_cast<uint8_t*>(c.buf[i].data); }

/**
 * A size that JavaScript wrote; one that is missing (NaN, of a shape with too few dimensions), negative or beyond 2^31, so that
 * no product of two wraps round, counts as 0 and records the error.
 */
static inline size_t sizeParam(Call& c, int i) {
  if (c.p[i] >= 0 && c.p[i] <= 2147483648.0) return static_cast<size_t>(c.p[i]);
  c.error = "native kernel: a size is missing or out of range: a tensor has too few dimensions or too long ones";
  return 0;
}

/** The product, or the largest number there is where it would wrap round. */
static inline size_t times(size_t a, size_t b) {
  size_t product;
  return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}
template <class... Rest>
static inline size_t times(size_t a, size_t b, size_t c, Rest... rest) {
  // An empty tensor is empty however long its other dimensions are.
  return a == 0 ? 0 : times(times(a, b), c, rest...);
}

/** True when buffer `i` holds at least `length` elements of `type`; otherwise records the error. */
static inline bool holds(Call& c, int i, Type type, size_t length) {
  if (c.error) return false;
  if (c.buf[i].type == type && c.buf[i].length >= length) return true;
  c.error = "native kernel: an array has the wrong type or is too short for its shape";
  return false;
}

SAX_END
