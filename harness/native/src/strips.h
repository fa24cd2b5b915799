/** @file Products with a small packed right side, where the left side and the result lie strided in larger matrices. */
#pragma once
#include "gemm-tile.h"

SAX_BEGIN

/** A right side B [depth, cols] in strips of kTileCols columns; a last strip of at most kLanes columns is kLanes wide. */
struct Strips {
  float* data;
  size_t cols, depth;
  /** Floats that the strips of such a B take. */
  static size_t size(size_t cols, size_t depth) { return ceilDiv(cols, kTileCols) * kTileCols * depth; }
};

/** Fills strips from B, whose element (k, j) is src[j * sw + k * sk]. */
void packStrips(const Strips& b, const float* src, size_t sw, size_t sk);

/**
 * C [rows, cols] (+)= A · B over the first `depth` rows of B, with A's element (i, k) at a[i * lda + k]. `cols` is B's, or
 * whole strips of it; where it passes B's, it is filled up with zeros to the width of the last strip.
 */
void timesStrips(const float* a, size_t lda, size_t rows, const Strips& b, size_t cols, size_t depth, float* c, size_t ldc);

/** C [rows, cols] += Aᵀ · B over all rows of B: A's element (i, k) is a[k * lda + i]. */
void addTransposedTimesStrips(const float* a, size_t lda, size_t rows, const Strips& b, float* c, size_t ldc);

SAX_END
