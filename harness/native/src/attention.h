/** @file What attention's forward and backward kernels share: its sizes, and the scores of a block of queries. */
#pragma once
#include "math.h"
#include "strips.h"

SAX_BEGIN

/**
 * Queries [n·t, heads·width]; keys and values [n·capacity, kvHeads·width], of each row the first `columns` in use. Query i
 * of a row sees column j where `seen` [n, columns] is not 0 (null: everywhere) and, if causal, j ≤ i + columns - t, of these
 * the last `window` (0: all). Head h reads the keys of group h / (heads / kvHeads).
 */
struct Attention {
  size_t n, t, columns, capacity, heads, kvHeads, width, window;
  float scale;
  bool causal;
  const float *q, *k, *v;
  const uint8_t* seen;

  size_t queryStep() const { return heads * width; }
  size_t keyStep() const { return kvHeads * width; }
  size_t group() const { return heads / kvHeads; }
  /** Columns that fill whole registers. */
  size_t padded() const { return ceilDiv(columns, kLanes) * kLanes; }
  /** Queries whose scores are held at once: these stay in L2. */
  size_t blockRows() const {
    size_t tiles = (size_t{1} << 15) / most<size_t>(1, padded()) / kTileRows;
    return most<size_t>(2, least<size_t>(8, tiles)) * kTileRows;
  }
  /** Columns that query i sees at most. */
  size_t limit(size_t i) const { return causal ? least(columns, i + 1 + columns - t) : columns; }
  /** The first column that query i sees at most. */
  size_t first(size_t i) const { return window > 0 && limit(i) > window ? limit(i) - window : 0; }
};

/** Reads params 0 … 9 (n, t, columns, capacity, heads, kvHeads, width, scale, causal, window); false when they contradict one another. */
bool readAttention(Call& c, Attention& a);

/**
 * The mixed values of groups [begin, end) of all n · kvHeads, on this thread alone; `columns` is not 0. With them `sums`, the
 * ln Σ exp of the scaled scores. Uses scratch 1.
 */
void attendGroups(const Attention& a, size_t begin, size_t end, float* mixed, float* sums);

/** Scores of queries [i0, i0 + rows), q · kᵀ unscaled, in s [rows, padded]: as many columns as the last of them sees. */
static inline void scoresOf(const Attention& a, const float* q, size_t i0, size_t rows, const Strips& keys, float* s) {
  size_t cols = least(a.padded(), ceilDiv(a.limit(i0 + rows - 1), kTileCols) * kTileCols);
  timesStrips(q + i0 * a.queryStep(), a.queryStep(), rows, keys, cols, a.width, s, a.padded());
}

/** Minus infinity where query i does not look, up to `end`. */
static inline void hideUnseen(const Attention& a, size_t i, float* s, size_t end, const uint8_t* seen) {
  size_t first = a.first(i), limit = a.limit(i);
  for (size_t j = 0; j < first; j++) s[j] = -inf();
  if (seen)
    for (size_t j = first; j < limit; j++) s[j] = seen[j] ? s[j] : -inf();
  for (size_t j = limit; j < end; j++) s[j] = -inf();
}

/** The sum of x · y, in one register of lanes, since heads are narrow. */
static inline float headDot(const float* x, const float* y, size_t n) {
  vf acc = {};
  float tail = 0.0f;
  size_t j = 0;
  for (; j + kLanes <= n; j += kLanes) acc += load(x + j) * load(y + j);
  for (; j < n; j++) tail += x[j] * y[j];
  return (n >= kLanes ? sumLanes(acc) : 0.0f) + tail;
}

SAX_END
