/**
 * @file Any product in mixed precision: both operands rounded to bfloat16, sums in float32, by the tiles of AMX or by the dot products of
 * AVX512-BF16. Each entry's sum has one order, whatever the sizes and the number of threads.
 */
#pragma once
#include "bfloat-pack.h"
#include "gemm-problem.h"
#include "stream.h"

SAX_BEGIN

namespace {

constexpr size_t kBlockRows = 192, kBlockCols = 256;  // of the part of C that a task makes; its sums stay in L2
constexpr size_t kPairsTogether = 256;                // along the sum: a strip of B stays in L1, the rows of A in L2
constexpr size_t kPackedWords = 1 << 21;              // of a packed operand for each thread: it stays in L3
constexpr double kSerialWork = 2e6;  // multiply-adds below which waking a thread costs more than it gives

/** How much of m lines is packed at once, in whole blocks. */
size_t togetherOf(size_t m, size_t block, size_t pairs) {
  return least(m, most<size_t>(1, kPackedWords * static_cast<size_t>(threadCount()) / pairs / block) * block);
}

/** Block [i0, i1) by [j0, j1) of C; a and b are packed from line i0 and column j0 on. */
template <class P>
void blockOf(const Problem& g, typename P::Session& session, const uint32_t* a, const uint32_t* b, size_t pairs, size_t i0,
             size_t i1, size_t j0, size_t j1) {
  constexpr size_t kArea = P::kRows * kPairCols;
  size_t down = ceilDiv(i1 - i0, P::kRows), across = ceilDiv(j1 - j0, kPairCols);
  float* sums = static_cast<float*>(scratch(1, kBlockRows * kBlockCols * sizeof(float)));
  for (size_t p = 0; p < pairs; p += kPairsTogether)
    for (size_t s = 0; s < across; s++)
      for (size_t r = 0; r < down; r++)
        P::multiply(session, a + r * P::kRows * pairs, b + s * kPairCols * pairs, pairs, p, least(pairs, p + kPairsTogether),
                    sums + (s * down + r) * kArea, kPairCols);
  // A line of the cache that is streamed in two parts, or to which a store goes in between, costs two reads and writes of memory.
  bool large = times(g.m, g.n) * sizeof(float) >= kStreamed && g.n % kPairCols == 0;
  for (size_t r = 0; r < down; r++)
    for (size_t s = 0; s < across; s++)
      finishRows(g, sums + (s * down + r) * kArea, kPairCols, least(P::kRows, i1 - i0 - r * P::kRows), j0 + s * kPairCols,
                 least(j1, j0 + (s + 1) * kPairCols));
  for (size_t i = i0; i < i1; i++)
    for (size_t s = 0; s < across; s++) {
      size_t j = j0 + s * kPairCols, cols = least(kPairCols, j1 - j);
      const float* from = sums + (s * down + (i - i0) / P::kRows) * kArea + (i - i0) % P::kRows * kPairCols;
      if (large) streamOut(g.c + i * g.n + j, from, cols);
      else __builtin_memcpy(g.c + i * g.n + j, from, cols * sizeof(float));
    }
  if (large) settle();
}

/** pack(j, j1, words) puts down columns [j, j1) of b as `packColumns` does; each of them once. */
template <class P, class Blocks, class Pack>
void productOf(const Problem& g, const Pack& pack) {
  static_assert(kBlockRows % P::kRows == 0 && kBlockCols % kPairCols == 0 && kPairsTogether % kTileSide == 0);
  size_t pairs = P::pairsOf(g.k);
  size_t rows = togetherOf(g.m, kBlockRows, pairs), cols = togetherOf(g.n, kBlockCols, pairs);
  uint32_t* a = static_cast<uint32_t*>(scratch(0, ceilDiv(rows, P::kRows) * P::kRows * pairs * sizeof(uint32_t)));
  uint32_t* b = static_cast<uint32_t*>(scratch(4, ceilDiv(cols, kPairCols) * kPairCols * pairs * sizeof(uint32_t)));
  bool threads = double(g.m) * double(g.n) * double(g.k) > kSerialWork;
  for (size_t j0 = 0; j0 < g.n; j0 += cols) {
    size_t j1 = least(g.n, j0 + cols), grain = kStripsTogether * kPairCols;
    forRange(j1 - j0, threads ? grain : j1 - j0, [&](size_t begin, size_t end) {
      pack(j0 + begin, j0 + end, b + begin * pairs);
    });
    for (size_t i0 = 0; i0 < g.m; i0 += rows) {
      size_t i1 = least(g.m, i0 + rows), grain = kStripsTogether * P::kRows;
      // Where all rows are packed at once, they serve every part of the columns.
      if (j0 == 0 || rows < g.m)
        forRange(i1 - i0, threads ? grain : i1 - i0, [&](size_t begin, size_t end) {
          packLines<P, Blocks>(g.a, i0 + begin, i0 + end, g.k, pairs, a + begin * pairs);
        });
      size_t down = ceilDiv(i1 - i0, kBlockRows), across = ceilDiv(j1 - j0, kBlockCols);
      size_t blocks = down * across, together = threads ? 1 : blocks;
      forRange(blocks, together, [&](size_t begin, size_t end) {
        typename P::Session session;
        for (size_t block = begin; block < end; block++) {
          size_t i = block / across * kBlockRows, j = block % across * kBlockCols;
          blockOf<P>(g, session, a + i * pairs, b + j * pairs, pairs, i0 + i, least(i1, i0 + i + kBlockRows), j0 + j,
                     least(j1, j0 + j + kBlockCols));
        }
      });
    }
  }
}

}  // namespace

SAX_END
