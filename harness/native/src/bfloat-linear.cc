/**
 * @file Linear layers in mixed precision: x · W + bias with both operands rounded to bfloat16 and sums in float32, by the tiles of AMX or
 * by the dot products of AVX512-BF16. Each entry's sum has one order, whatever the number of rows, columns and threads.
 *
 * A packed weight [in, out] lies in strips of 32 columns, zeros beyond `out`: word (s · pairs + p) · 32 + c of strip s holds
 * elements 2p and 2p + 1 of column 32 s + c, the first in the lower half, and zeros beyond `in`; pairs is a multiple of 16.
 */
#include "bfloat.h"
#include "linear.h"
#include "stream.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsPerTask = 480;  // rows that read a strip of the weight after it has come near
constexpr size_t kPackedTogether = 96;
constexpr double kSerialWork = 2e6;  // multiply-adds below which waking a thread costs more than it gives

size_t pairsIn(size_t in) { return TileProducts<TileModel>::pairsOf(in); }
size_t packedWords(size_t in, size_t out) { return times(ceilDiv(out, kPairCols), kPairCols, pairsIn(in)); }

/** To nearest, ties to even; subnormal numbers become 0, as the CPU's own conversion has it. */
uint32_t rounded(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return bits >> 16 | 0x40;
  if (magnitude < 0x00800000u) return bits >> 16 & 0x8000;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

float widened(uint32_t bits) {
  bits <<= 16;
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

/** The 16 pairs of `count` ≤ 32 numbers and zeros. */
void pairUp(const float* x, size_t count, uint32_t* out) {
  for (size_t p = 0; p < 16; p++)
    out[p] = (2 * p < count ? rounded(x[2 * p]) : 0) | (2 * p + 1 < count ? rounded(x[2 * p + 1]) << 16 : 0);
}

#ifdef SAX_SCREENING
/** The same by the CPU's own conversion. */
SAX_BF16 void pairUpFast(const float* x, size_t count, uint32_t* out) {
  uint32_t here = count >= 32 ? 0xffffffffu : (1u << count) - 1;
  __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(here), x);
  __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(here >> 16), x + 16);
  _mm512_storeu_si512(out, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}
#endif

struct Layer {
  size_t rows, in, out, pairs;
  const float *x, *bias;  // bias or null
  const uint32_t* weight;
  float* y;
};

/** Rows [i, i + Products::kRows) of x as Products multiplies them; zeros beyond the last. */
template <class Products, class Pair>
void packRows(const Layer& l, size_t i, const Pair& pair, uint32_t* out) {
  for (size_t r = 0; r < Products::kRows; r++)
    for (size_t p = 0; p < l.pairs; p += 16) {
      size_t from = 2 * p, count = i + r < l.rows && from < l.in ? least<size_t>(32, l.in - from) : 0;
      alignas(64) uint32_t words[16] = {};
      if (count > 0) pair(l.x + (i + r) * l.in + from, count, words);
      Products::place(out, l.pairs, r, p, words);
    }
}

template <class Products, class Pair>
void product(const Layer& l, const Pair& pair) {
  constexpr size_t kRows = Products::kRows;
  static_assert(kRowsPerTask % kRows == 0 && kPackedTogether % kRows == 0);
  bool threads = double(l.rows) * double(l.in) * double(l.out) > kSerialWork;
  uint32_t* x = static_cast<uint32_t*>(scratch(0, ceilDiv(l.rows, kRows) * kRows * l.pairs * sizeof(uint32_t)));
  forRange(l.rows, kPackedTogether, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i += kRows) packRows<Products>(l, i, pair, x + i * l.pairs);
  });
  size_t wanted = threads ? 4 * threadCount() : 1, strips = ceilDiv(l.out, kPairCols);
  size_t rowTasks = ceilDiv(l.rows, kRowsPerTask), splits = least(strips, ceilDiv(wanted, rowTasks));
  bool large = times(l.rows, l.out) * sizeof(float) >= kStreamed;
  forTasks(rowTasks * splits, [&](size_t task) {
    typename Products::Session session;
    size_t i0 = task / splits * kRowsPerTask, i1 = least(l.rows, i0 + kRowsPerTask), part = task % splits;
    for (size_t s = part * strips / splits; s < (part + 1) * strips / splits; s++) {
      size_t j = s * kPairCols, cols = least(kPairCols, l.out - j);
      for (size_t i = i0; i < i1; i += kRows) {
        alignas(64) float values[kRows][kPairCols];
        Products::multiply(session, x + i * l.pairs, l.weight + j * l.pairs, l.pairs, values[0], kPairCols);
        for (size_t r = 0; r < least(kRows, i1 - i); r++) {
          if (l.bias)
            for (size_t c = 0; c < cols; c++) values[r][c] += l.bias[j + c];
          float* to = l.y + (i + r) * l.out + j;
          if (large) streamOut(to, values[r], cols);
          else __builtin_memcpy(to, values[r], cols * sizeof(float));
        }
      }
    }
    if (large) settle();
  });
}

}  // namespace

/** Rounds to bfloat16. Buffers: packed int32, w [out, in]. Params: in, out. */
void packPairs(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), pairs = pairsIn(in);
  if (!holds(c, 0, I32, packedWords(in, out)) || !holds(c, 1, F32, times(in, out)) || in == 0) return;
  uint32_t* packed = reinterpret_cast<uint32_t*>(i32(c, 0));
  const float* w = f32(c, 1);
  forRange(ceilDiv(out, kPairCols), 4, [&](size_t begin, size_t end) {
    for (size_t j = begin * kPairCols; j < end * kPairCols; j++) {
      uint32_t* column = packed + j / kPairCols * kPairCols * pairs + j % kPairCols;
      for (size_t p = 0; p < pairs; p++) {
        auto at = [&](size_t k) { return j < out && k < in ? rounded(w[j * in + k]) : 0; };
        column[p * kPairCols] = at(2 * p) | at(2 * p + 1) << 16;
      }
    }
  });
}

/** The weight, rounded, as w [in, out]. Buffers: w, packed. Params: in, out. */
void unpackPairs(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), pairs = pairsIn(in);
  if (!holds(c, 0, F32, times(in, out)) || !holds(c, 1, I32, packedWords(in, out))) return;
  const uint32_t* packed = reinterpret_cast<const uint32_t*>(i32(c, 1));
  forRange(in, 16, [&](size_t begin, size_t end) {
    for (size_t k = begin; k < end; k++)
      for (size_t j = 0; j < out; j++) {
        uint32_t word = packed[(j / kPairCols * pairs + k / 2) * kPairCols + j % kPairCols];
        f32(c, 0)[k * out + j] = widened(k % 2 == 0 ? word & 0xffff : word >> 16);
      }
  });
}

/** Columns of a packed weight as rows. Buffers: y [ids, in], packed, ids. Params: in, out, ids. */
void pairedRows(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), count = sizeParam(c, 2), pairs = pairsIn(in);
  if (!holds(c, 0, F32, times(count, in)) || !holds(c, 1, I32, packedWords(in, out)) || !holds(c, 2, I32, count)) return;
  const uint32_t* packed = reinterpret_cast<const uint32_t*>(i32(c, 1));
  const int32_t* ids = i32(c, 2);
  if (!knownRows(c, ids, count, out)) return;
  forRange(count, 16, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      size_t id = static_cast<size_t>(ids[i]);
      const uint32_t* column = packed + id / kPairCols * kPairCols * pairs + id % kPairCols;
      for (size_t k = 0; k < in; k++) {
        uint32_t word = column[k / 2 * kPairCols];
        f32(c, 0)[i * in + k] = widened(k % 2 == 0 ? word & 0xffff : word >> 16);
      }
    }
  });
}

/**
 * Buffers: y [rows, out], x [rows, in], packed, bias [out] or empty. Params: in, out, rows, `BfloatProducts`: the best that there is,
 * never the model unless it is asked for.
 */
void pairedLinear(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), rows = sizeParam(c, 2), by = sizeParam(c, 3);
  if (!takesLayer(c, rows, in, out, I32, packedWords(in, out))) return;
  const uint32_t* packed = reinterpret_cast<const uint32_t*>(i32(c, 2));
  Layer layer{rows, in, out, pairsIn(in), f32(c, 1), biasOf(c), packed, f32(c, 0)};
  if (by == ByModel) return product<TileProducts<TileModel>>(layer, pairUp);
#ifdef SAX_SCREENING
  if (hasDots()) {
    if (by == ByBest ? hasTiles() : by == ByTiles && hasTiles()) return product<TileProducts<AmxTiles>>(layer, pairUpFast);
    if (by == ByBest || by == ByDots) return product<DotProducts>(layer, pairUpFast);
  }
#endif
  c.error = "native linear: this CPU has no such products of bfloat16";
}

SAX_END
