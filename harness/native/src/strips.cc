/** @file Products with a small packed right side: see strips.h. */
#include "strips.h"

SAX_BEGIN

namespace {

template <bool IN_ROWS, size_t VECTORS>
void oneStrip(const float* a, size_t lda, size_t rows, const float* b, size_t cols, size_t depth, float* c, size_t ldc,
              bool add) {
  constexpr size_t width = VECTORS * kLanes;
  for (size_t k = 0; k < depth; k += kDepth) {
    size_t now = least(kDepth, depth - k);
    for (size_t i = 0; i < rows; i += kTileRows)
      tileRows<IN_ROWS, VECTORS>(least(kTileRows, rows - i), now, IN_ROWS ? a + i * lda + k : a + k * lda + i, lda,
                                 b + k * width, width, c + i * ldc, ldc, cols, add || k > 0);
  }
}

template <bool IN_ROWS>
void multiply(const float* a, size_t lda, size_t rows, const Strips& b, size_t cols, size_t depth, float* c, size_t ldc,
              bool add) {
  for (size_t j = 0; j < cols; j += kTileCols) {
    size_t now = least(kTileCols, cols - j);
    const float* strip = b.data + j * b.depth;
    if (now <= kLanes) oneStrip<IN_ROWS, 1>(a, lda, rows, strip, now, depth, c + j, ldc, add);
    else oneStrip<IN_ROWS, kTileVectors>(a, lda, rows, strip, now, depth, c + j, ldc, add);
  }
}

}  // namespace

void packStrips(const Strips& b, const float* src, size_t sw, size_t sk) {
  for (size_t j = 0; j < b.cols; j += kTileCols) {
    size_t now = least(kTileCols, b.cols - j);
    if (now <= kLanes) packStrip<kLanes>(b.data + j * b.depth, src + j * sw, sw, sk, now, b.depth);
    else packStrip<kTileCols>(b.data + j * b.depth, src + j * sw, sw, sk, now, b.depth);
  }
}

void timesStrips(const float* a, size_t lda, size_t rows, const Strips& b, size_t cols, size_t depth, float* c,
                 size_t ldc) {
  multiply<true>(a, lda, rows, b, cols, depth, c, ldc, false);
}

void addTransposedTimesStrips(const float* a, size_t lda, size_t rows, const Strips& b, float* c, size_t ldc) {
  multiply<false>(a, lda, rows, b, b.cols, b.depth, c, ldc, true);
}

SAX_END
