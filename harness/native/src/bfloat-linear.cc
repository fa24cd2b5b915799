/**
 * @file Linear layers in mixed precision: x · W + bias with both operands rounded to bfloat16 and sums in float32, by the tiles of AMX or
 * by the dot products of AVX512-BF16. Each entry's sum has one order, whatever the number of rows, columns and threads.
 *
 * A packed weight [in, out] lies in strips of 32 columns, zeros beyond `out`: word (s · pairs + p) · 32 + c of strip s holds
 * elements 2p and 2p + 1 of column 32 s + c, the first in the lower half, and zeros beyond `in`; pairs is a multiple of 16.
 */
#include "bfloat-pack.h"
#include "linear.h"
#include "stream.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsPerTask = 480;  // rows that read a strip of the weight after it has come near
constexpr size_t kPackedTogether = 96;
constexpr double kSerialWork = 2e6;  // multiply-adds below which waking a thread costs more than it gives

size_t pairsIn(size_t in) { return TileProducts<TileModel>::pairsOf(in); }
size_t packedWords(size_t in, size_t out) { return times(ceilDiv(out, kPairCols), kPairCols, pairsIn(in)); }

float widened(uint32_t bits) {
  bits <<= 16;
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

struct Layer {
  size_t rows, in, out, pairs;
  const float *x, *bias;  // bias or null
  const uint32_t* weight;
  float* y;
};

template <class Products, class Blocks>
void product(const Layer& l) {
  constexpr size_t kRows = Products::kRows;
  static_assert(kRowsPerTask % kRows == 0 && kPackedTogether % kRows == 0 && kPackedTogether % kPairCols == 0);
  bool threads = double(l.rows) * double(l.in) * double(l.out) > kSerialWork;
  uint32_t* x = static_cast<uint32_t*>(scratch(0, ceilDiv(l.rows, kRows) * kRows * l.pairs * sizeof(uint32_t)));
  forRange(l.rows, kPackedTogether, [&](size_t begin, size_t end) {
    packLines<Products, Blocks>({l.x, l.in, 1}, begin, end, l.in, l.pairs, x + begin * l.pairs);
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
        Products::multiply(session, x + i * l.pairs, l.weight + j * l.pairs, l.pairs, 0, l.pairs, values[0], kPairCols);
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
  forRange(out, kPackedTogether, [&](size_t begin, size_t end) {
    packColumns<PlainBlocks>({w, in, 1}, begin, end, in, pairs, packed + begin * pairs);
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
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1), rows = sizeParam(c, 2);
  if (!takesLayer(c, rows, in, out, I32, packedWords(in, out))) return;
  const uint32_t* packed = reinterpret_cast<const uint32_t*>(i32(c, 2));
  Layer layer{rows, in, out, pairsIn(in), f32(c, 1), biasOf(c), packed, f32(c, 0)};
  servedBy(c, c.p[3], [&](auto products, auto blocks) { product<decltype(products), decltype(blocks)>(layer); });
}

SAX_END
