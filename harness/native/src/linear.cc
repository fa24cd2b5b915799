/**
 * @file Products x · W + bias with a packed weight (packed.h), whose numbers of 16 bits are widened on the way. The sums are
 * those of gemm.cc in their order, so results are the bits that the float32 weight gives there.
 */
#include "linear.h"
#include "packed.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsPerTask = 192;  // rows of x packed at once: they stay in L2
constexpr size_t kWidenTiles = 3;     // tiles of rows from which on a strip is widened once for all of them
constexpr size_t kAhead = 4096;       // bytes between what few rows multiply and what is brought into the cache
constexpr double kSerialWork = 2e5;   // multiply-adds below which waking a thread costs more than it gives

/** The types in the numbering of linear.ts. */
enum ElementType { Float32, Bfloat16, Float16 };

template <class E>
struct Layer {
  size_t rows, in, out;
  const float *x, *bias;  // bias or null
  const E* weight;
  float* y;

  size_t strips() const { return ceilDiv(out, kTileCols); }
  /** The strip's part from row k on. */
  const E* strip(size_t s, size_t k) const { return weight + (s * in + k) * kRow<E>; }
};

template <class E>
void addBias(const Layer<E>& l, size_t i0, size_t i1, size_t j0, size_t j1) {
  if (!l.bias) return;
  for (size_t i = i0; i < i1; i++)
    for (size_t j = j0; j < j1; j++) l.y[i * l.out + j] += l.bias[j];
}

/** Rows that fit one tile: the weight is read once, its sums are never put down. */
template <class E>
void fewRows(const Layer<E>& l, bool threads) {
  float* a = static_cast<float*>(scratch(1, l.in * kTileRows * sizeof(float)));
  packStrip<kTileRows>(a, l.x, l.in, 1, l.rows, l.in);
  size_t strips = l.strips(), perTask = threads ? most<size_t>(1, ceilDiv(strips, 4 * threadCount())) : strips;
  forRange(strips, perTask, [&](size_t begin, size_t end) {
    for (size_t s = begin; s < end; s++) {
      size_t j = s * kTileCols;
      // Strips follow one another in memory.
      Ahead next = {reinterpret_cast<const char*>(l.strip(s, 0)) + kAhead, kRow<E> * sizeof(E)};
      tileRows(l.rows, l.in, a, kTileRows, l.strip(s, 0), kRow<E>, l.y + j, l.out, least(kTileCols, l.out - j), false, next);
    }
    addBias(l, 0, l.rows, begin * kTileCols, least(l.out, end * kTileCols));
  });
}

/** `depth` rows of a strip as floats. */
template <class E>
void widen(const E* strip, size_t depth, float* wide) {
  for (size_t k = 0; k < depth; k++) {
    vf row[kTileVectors];
    loadRow<kTileVectors>(strip + k * kRow<E>, row);
    for (size_t v = 0; v < kTileVectors; v++) store(wide + k * kTileCols + v * kLanes, row[v]);
  }
}

/** Rows [i0, i0 + rows) and strips [s0, s1). */
template <class E>
void piece(const Layer<E>& l, size_t i0, size_t rows, size_t s0, size_t s1) {
  float* a = static_cast<float*>(scratch(1, (kRowsPerTask + kTileRows) * kDepth * sizeof(float)));
  float* wide = static_cast<float*>(scratch(2, kDepth * kTileCols * sizeof(float)));
  for (size_t d = 0; d < l.in; d += kDepth) {
    size_t now = least(kDepth, l.in - d);
    const float* source = l.x + i0 * l.in + d;
    for (size_t i = 0; i < rows; i += kTileRows)
      packStrip<kTileRows>(a + i * now, source + i * l.in, l.in, 1, least(kTileRows, rows - i), now);
    for (size_t s = s0; s < s1; s++) {
      size_t j = s * kTileCols, cols = least(kTileCols, l.out - j);
      const E* strip = l.strip(s, d);
      auto tiles = [&](const auto* part, size_t step, auto next) {
        for (size_t i = 0; i < rows; i += kTileRows)
          tileRows(least(kTileRows, rows - i), now, a + i * now, kTileRows, part, step, l.y + (i0 + i) * l.out + j, l.out,
                   cols, d > 0, next(i * now));
      };
      if (sizeof(E) * kRow<E> < kTileCols * sizeof(float) && rows > (kWidenTiles - 1) * kTileRows) {
        widen(strip, now, wide);
        tiles(wide, kTileCols, [](size_t) { return Nothing{}; });
      } else {
        // The next strip's part, or the first one's further down, comes while this one is multiplied: shared out over its tiles.
        const E* following = s + 1 < s1 ? l.strip(s + 1, d) : l.strip(s0, least(d + kDepth, l.in - 1));
        size_t share = ceilDiv(kRow<E> * sizeof(E), ceilDiv(rows, kTileRows));
        const char* at = reinterpret_cast<const char*>(following);
        tiles(strip, kRow<E>, [&](size_t done) { return Ahead{at + done / kTileRows * share, share}; });
      }
    }
  }
  addBias(l, i0, i0 + rows, s0 * kTileCols, least(s1 * kTileCols, l.out));
}

template <class E>
void product(const Layer<E>& l) {
  bool threads = double(l.rows) * double(l.in) * double(l.out) > kSerialWork;
  if (l.rows <= kTileRows) return fewRows(l, threads);
  size_t wanted = threads ? 3 * threadCount() : 1, strips = l.strips();
  size_t perTask = least(kRowsPerTask, ceilDiv(ceilDiv(l.rows, wanted), kTileRows) * kTileRows);
  // With few rows, tasks share the weight and not the rows: each part of it is read by one core.
  if (l.rows <= kRowsPerTask) perTask = l.rows;
  size_t rowTasks = ceilDiv(l.rows, perTask);
  size_t splits = rowTasks >= wanted ? 1 : least(strips, ceilDiv(wanted, rowTasks));
  forTasks(rowTasks * splits, [&](size_t task) {
    size_t i0 = task / splits * perTask;
    piece(l, i0, least(perTask, l.rows - i0), task % splits * strips / splits, (task % splits + 1) * strips / splits);
  });
}

/** f(E{}) for the type of a packed weight; an error for another one. */
template <class F>
void withType(Call& c, double type, const F& f) {
  if (type == Float32) return f(float{});
  if (type == Bfloat16) return f(Bfloats{});
  if (type == Float16) return f(Halves{});
  c.error = "native linear: an unknown type of weights";
}

template <class E>
constexpr Type kHeldAs = I32;
template <>
constexpr Type kHeldAs<float> = F32;

template <class E>
E* packedOf(Call& c, int i) { return static_cast<E*>(c.buf[i].data); }

uint32_t bitsOf(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

/** A number that has 16 bits in them: the upper half of a float32. */
uint32_t narrow(float x, Bfloats) { return bitsOf(x) >> 16; }

/** A finite number that binary16 holds. Of others it gives something else. */
uint32_t narrow(float x, Halves) {
  uint32_t bits = bitsOf(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x38800000) return sign | (magnitude - 0x38000000) >> 13;
  return sign | static_cast<uint32_t>(static_cast<int32_t>(__builtin_fabsf(x) * 0x1p24f));
}

/** One strip from floats to its packed form; false where that does not hold a number exactly. */
bool narrowStrip(const float* wide, size_t depth, float* to) {
  __builtin_memcpy(to, wide, depth * kTileCols * sizeof(float));
  return true;
}

template <class E>
bool narrowStrip(const float* wide, size_t depth, E* to) {
  bool exact = true;
  for (size_t k = 0; k < depth; k++, wide += kTileCols, to += kRow<E>) {
    for (size_t l = 0; l < kLanes; l++) {
      // Beyond 16 bits: a number of another type, which the comparison below finds.
      uint32_t low = narrow(wide[l], E{}) & 0xffff, high = narrow(wide[l + kLanes], E{}) << 16;
      to[l].bits = low | high;
    }
    vf row[kTileVectors];
    loadRow<kTileVectors>(to, row);
    float back[kTileCols];
    for (size_t v = 0; v < kTileVectors; v++) store(back + v * kLanes, row[v]);
    exact = exact && __builtin_memcmp(back, wide, sizeof back) == 0;
  }
  return exact;
}

}  // namespace

/** Buffers: packed (int32, or float32 for that type), w [out, in]. Params: in, out, type. */
void packWeight(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1);
  withType(c, c.p[2], [&](auto element) {
    using E = decltype(element);
    size_t room = packedSize<E>(in, out);
    if (!holds(c, 0, kHeldAs<E>, room) || !holds(c, 1, F32, times(in, out))) return;
    // Tensors without a value have no memory, which not even nothing may be copied from.
    if (room == 0 || in == 0) return;
    E* packed = packedOf<E>(c, 0);
    bool exact = true;
    forRange(ceilDiv(out, kPackedCols) * (kPackedCols / kTileCols), 4, [&](size_t begin, size_t end) {
      float* wide = static_cast<float*>(scratch(2, in * kTileCols * sizeof(float)));
      for (size_t s = begin; s < end; s++) {
        size_t j = s * kTileCols, cols = j < out ? least(kTileCols, out - j) : 0;
        packStrip<kTileCols>(wide, f32(c, 1) + least(j, out) * in, in, 1, cols, in);
        if (!narrowStrip(wide, in, packed + s * in * kRow<E>)) __atomic_store_n(&exact, false, __ATOMIC_RELAXED);
      }
    });
    if (!exact) c.error = "native packWeight: a number that the 16-bit type does not hold";
  });
}

/** The weight as it was. Buffers: w [in, out], packed. Params: in, out, type. */
void unpackWeight(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1);
  withType(c, c.p[2], [&](auto element) {
    using E = decltype(element);
    if (!holds(c, 0, F32, times(in, out)) || !holds(c, 1, kHeldAs<E>, packedSize<E>(in, out))) return;
    const E* packed = packedOf<E>(c, 1);
    forRange(ceilDiv(out, kTileCols), 4, [&](size_t begin, size_t end) {
      for (size_t s = begin; s < end; s++) {
        size_t j = s * kTileCols, cols = least(kTileCols, out - j);
        for (size_t k = 0; k < in; k++) {
          float wide[kTileCols];
          widen(packed + (s * in + k) * kRow<E>, 1, wide);
          __builtin_memcpy(f32(c, 0) + k * out + j, wide, cols * sizeof(float));
        }
      }
    });
  });
}

/** Columns of a packed weight as rows: an embedding that is the unembedding too. Buffers: y [ids, in], packed, ids. Params: in, out, type, ids. */
void packedRows(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), count = sizeParam(c, 3);
  withType(c, c.p[2], [&](auto element) {
    using E = decltype(element);
    if (!holds(c, 0, F32, times(count, in)) || !holds(c, 1, kHeldAs<E>, packedSize<E>(in, out)) || !holds(c, 2, I32, count)) return;
    const E* packed = packedOf<E>(c, 1);
    const int32_t* ids = i32(c, 2);
    if (!knownRows(c, ids, count, out)) return;
    forRange(count, 16, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) {
        size_t id = static_cast<size_t>(ids[i]);
        const E* strip = packed + id / kTileCols * in * kRow<E>;
        for (size_t k = 0; k < in; k++) {
          float wide[kTileCols];
          widen(strip + k * kRow<E>, 1, wide);
          f32(c, 0)[i * in + k] = wide[id % kTileCols];
        }
      }
    });
  });
}

/** Buffers: y [rows, out], x [rows, in], packed, bias [out] or empty. Params: in, out, type, rows. */
void linear(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), rows = sizeParam(c, 3);
  withType(c, c.p[2], [&](auto element) {
    using E = decltype(element);
    if (!takesLayer(c, rows, in, out, kHeldAs<E>, packedSize<E>(in, out))) return;
    product(Layer<E>{rows, in, out, f32(c, 1), biasOf(c), packedOf<E>(c, 2), f32(c, 0)});
  });
}

SAX_END
