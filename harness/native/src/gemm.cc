/**
 * @file Float32 matrix product, batched, with a fused bias and activation. The sums over k run in one order whatever the
 * number of threads, so results are the same bits for any pool.
 */
#include "gemm-problem.h"

SAX_BEGIN

namespace {

constexpr size_t kRowsPerTask = 192;     // rows of A packed at once: they stay in L2
constexpr size_t kPackFloats = 1 << 20;  // packed B, shared by the threads: it stays in L3
constexpr size_t kMaxCols = 4096;
constexpr size_t kDirectCols = 256;      // columns of B up to which A is read in place
constexpr double kSerialWork = 2e5;      // multiply-adds below which waking a thread costs more than it gives

/** Bias and activation over one block of C, just written and still in cache. */
void finish(const Problem& g, size_t i0, size_t i1, size_t j0, size_t j1) {
  finishRows(g, g.c + i0 * g.n + j0, g.n, i1 - i0, j0, j1);
}

/** Few rows against a B whose rows (along n) are contiguous: B is read once, in place. */
void fewRows(const Problem& g, bool threads) {
  float* a = static_cast<float*>(scratch(1, g.k * kTileRows * sizeof(float)));
  packStrip<kTileRows>(a, g.a.p, g.a.row, g.a.col, g.m, g.k);
  size_t strips = ceilDiv(g.n, kTileCols);
  size_t perTask = threads ? most<size_t>(4, ceilDiv(strips, 4 * threadCount())) : strips;
  forTasks(ceilDiv(strips, perTask), [&](size_t task) {
    size_t end = least(strips, (task + 1) * perTask);
    for (size_t s = task * perTask; s < end; s++) {
      size_t j = s * kTileCols, cols = least(kTileCols, g.n - j);
      if (cols == kTileCols) {
        tileRows(g.m, g.k, a, kTileRows, g.b.p + j, g.b.col, g.c + j, g.n, cols, false);
      } else {
        float* last = static_cast<float*>(scratch(2, g.k * kTileCols * sizeof(float)));
        packStrip<kTileCols>(last, g.b.p + j, 1, g.b.col, cols, g.k);
        tileRows(g.m, g.k, a, kTileRows, last, kTileCols, g.c + j, g.n, cols, false);
      }
    }
    finish(g, 0, g.m, task * perTask * kTileCols, least(g.n, end * kTileCols));
  });
}

/** Q ≤ 8 dot products at a time of one long row with the packed rows of `few`. */
template <size_t Q>
inline void dots(const float* x, const float* few, size_t k, float* out, size_t step) {
  vf acc[Q] = {};
  float tail[Q] = {};
  size_t j = 0;
  for (; j + kLanes <= k; j += kLanes) {
    vf v = load(x + j);
#pragma GCC unroll 8
    for (size_t q = 0; q < Q; q++) acc[q] += v * load(few + q * k + j);
  }
  for (; j < k; j++)
    for (size_t q = 0; q < Q; q++) tail[q] += x[j] * few[q * k + j];
  for (size_t q = 0; q < Q; q++) out[q * step] = sumLanes(acc[q]) + tail[q];
}

template <size_t Q = 8>
inline void dotsOf(size_t q, const float* x, const float* few, size_t k, float* out, size_t step) {
  if (q == Q) return dots<Q>(x, few, k, out, step);
  if constexpr (Q > 1) dotsOf<Q - 1>(q, x, few, k, out, step);
}

/** One operand has at most 8 rows and the other is contiguous along k: dot products, nothing but the small one packed. */
void fewDots(const Problem& g, bool threads) {
  bool few = g.m <= 8 && g.b.col == 1;  // the small operand is A
  const View &small = few ? g.a : g.b, &big = few ? g.b : g.a;
  size_t q = few ? g.m : g.n, count = few ? g.n : g.m;
  float* packed = static_cast<float*>(scratch(1, q * g.k * sizeof(float)));
  for (size_t i = 0; i < q; i++)
    for (size_t k = 0; k < g.k; k++) packed[i * g.k + k] = small.p[i * small.row + k * small.col];
  size_t grain = threads ? most<size_t>(8, ceilDiv(count, 4 * threadCount())) : count;
  forRange(count, grain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
      dotsOf(q, big.p + i * big.row, packed, g.k, few ? g.c + i : g.c + i * g.n, few ? g.n : 1);
    if (few) finish(g, 0, g.m, begin, end);
    else finish(g, begin, end, 0, g.n);
  });
}

void blocked(const Problem& g, bool threads) {
  size_t width = least(g.n, kMaxCols), rounded = ceilDiv(width, kTileCols) * kTileCols;
  size_t span = most(kDepth, kPackFloats / rounded / kDepth * kDepth);
  size_t wanted = threads ? 3 * threadCount() : 1;
  size_t rowsPerTask = least(kRowsPerTask, ceilDiv(ceilDiv(g.m, wanted), kTileRows) * kTileRows);
  // A row of A that few columns read is not worth packing.
  bool direct = g.n <= kDirectCols;
  float* packed = static_cast<float*>(scratch(0, rounded * least(span, g.k) * sizeof(float)));
  for (size_t j0 = 0; j0 < g.n; j0 += width) {
    size_t cols = least(width, g.n - j0), strips = ceilDiv(cols, kTileCols), stride = strips * kTileCols;
    for (size_t k0 = 0; k0 < g.k; k0 += span) {
      size_t depth = least(span, g.k - k0);
      size_t packTasks = threads ? least(strips, ceilDiv(stride * depth, size_t{1} << 16)) : 1;
      forTasks(packTasks, [&](size_t task) {
        for (size_t d = 0; d < depth; d += kDepth) {
          size_t now = least(kDepth, depth - d);
          for (size_t s = task * strips / packTasks; s < (task + 1) * strips / packTasks; s++) {
            size_t j = s * kTileCols;
            packStrip<kTileCols>(packed + d * stride + j * now, g.b.p + (j0 + j) * g.b.row + (k0 + d) * g.b.col, g.b.row,
                                 g.b.col, least(kTileCols, cols - j), now);
          }
        }
      });
      size_t rowTasks = ceilDiv(g.m, rowsPerTask);
      size_t splits = rowTasks >= wanted ? 1 : least(strips, ceilDiv(wanted, rowTasks));
      forTasks(rowTasks * splits, [&](size_t task) {
        size_t i0 = task / splits * rowsPerTask, rows = least(rowsPerTask, g.m - i0);
        size_t s0 = task % splits * strips / splits, s1 = (task % splits + 1) * strips / splits;
        float* a = static_cast<float*>(scratch(1, (kRowsPerTask + kTileRows) * kDepth * sizeof(float)));
        for (size_t d = 0; d < depth; d += kDepth) {
          size_t now = least(kDepth, depth - d);
          const float* source = g.a.p + i0 * g.a.row + (k0 + d) * g.a.col;
          if (!direct)
            for (size_t i = 0; i < rows; i += kTileRows)
              packStrip<kTileRows>(a + i * now, source + i * g.a.row, g.a.row, g.a.col, least(kTileRows, rows - i), now);
          for (size_t s = s0; s < s1; s++) {
            const float* b = packed + d * stride + s * kTileCols * now;
            size_t j = j0 + s * kTileCols, width = least(kTileCols, g.n - j);
            for (size_t i = 0; i < rows; i += kTileRows) {
              size_t count = least(kTileRows, rows - i);
              float* out = g.c + (i0 + i) * g.n + j;
              bool add = k0 + d > 0;
              if (!direct) tileRows(count, now, a + i * now, kTileRows, b, kTileCols, out, g.n, width, add);
              else if (g.a.row == 1) tileRows(count, now, source + i, g.a.col, b, kTileCols, out, g.n, width, add);
              else tileRows<true>(count, now, source + i * g.a.row, g.a.row, b, kTileCols, out, g.n, width, add);
            }
          }
        }
        if (k0 + depth == g.k) finish(g, i0, i0 + rows, j0 + s0 * kTileCols, least(j0 + s1 * kTileCols, j0 + cols));
      });
    }
  }
}

void product(const Problem& g, bool threads) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) {
    for (size_t i = 0; i < g.m * g.n; i++) g.c[i] = 0.0f;
    return finish(g, 0, g.m, 0, g.n);
  }
  threads = threads && double(g.m) * double(g.n) * double(g.k) > kSerialWork;
  if ((g.m <= 8 && g.b.col == 1) || (g.n <= 8 && g.a.col == 1)) return fewDots(g, threads);
  if (g.m <= kTileRows && g.b.row == 1) return fewRows(g, threads);
  blocked(g, threads);
}

}  // namespace

/** As `batchOf` has it. */
void matMul(Call& c) {
  Batch all = batchOf(c);
  const Problem& g = all.first;
  double work = double(g.m) * double(g.n) * double(g.k);
  if (all.count >= 2 * size_t(threadCount()) || (all.count > 1 && work < kSerialWork)) {
    size_t grain = most<size_t>(1, static_cast<size_t>(kSerialWork / 4 / (work + 1)));
    forRange(all.count, grain, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) product(all.at(i), false);
    });
    return;
  }
  for (size_t i = 0; i < all.count; i++) product(all.at(i), true);
}

SAX_END
