/**
 * @file TopK of x · W + bias by screening: the product in bfloat16, which is faster, with a proven bound on how far each of
 * its entries can be from the float32 one. Entries that could be among the k largest are computed again in float32.
 *
 * The bound. With u = 2^-24, x = x̂ + δx, w = ŵ + δw (x̂, ŵ in bfloat16) and Cauchy-Schwarz,
 *
 *   |x·w − x̂·ŵ| = |x̂·δw + δx·w| ≤ ‖x̂‖‖δw‖ + ‖δx‖‖w‖.
 *
 * The products of bfloat16 numbers are exact in float32; both the dot product's instruction and that of the tiles (`TileModel`: twice
 * 16 products and 2 sums for 32 products) round at most twice a product, whatever its order and direction of rounding (2u each), and
 * flush what is below 2^-126. So the computed s differs from x̂·ŵ by at
 * most 4du Σ|x̂ŵ| + d 2^-125; the float32 chain differs from x·w by at most 1.01 (d + d/256 + 1) u Σ|xw|; and both sums
 * of absolute values are at most their products of norms. Adding the bias rounds both by u (|sum| + |bias|), and adding
 * the bound once more. Together, with γ = 6 (d + 64) u,
 *
 *   |float32 entry − (s + bias)| ≤ ‖x̂‖‖δw‖ + ‖δx‖‖w‖ + γ ‖x̂‖ (‖w‖ + ‖δw‖) + 4u |bias| + 2^-108 = M.
 *
 * Norms are bounded from above in `bfloat.h`, ‖x̂‖ by ‖x‖ + ‖δx‖. An entry whose s + bias + M is below the k-th largest
 * s + bias − M of its row is below k float32 entries, strictly, so ties need no care. Comparisons are written so that an
 * entry whose bound is not a number is kept.
 */
#include "rescore.h"
#include "select.h"

SAX_BEGIN

#ifndef SAX_SCREENING

bool canScreen(const Encoder&, bool) { return false; }
size_t screenTopK(const Encoder& e, uint8_t*) { return e.n; }
size_t screenAbove(const Encoder& e, int32_t, size_t, uint8_t*, Found&) { return e.n; }

#else

namespace {

constexpr size_t kScreenCols = 1024;       // packed columns of W at most, shared by the threads: they stay in L3
constexpr size_t kScreenWords = 3 << 16;   // of them: with the rows that a task multiplies by them they stay in L2
constexpr size_t kScreenRows = 96;
constexpr size_t kRowsPerChunk = 2048;  // rows whose candidates are kept at once

/** One row's margin is a · E + b · N + C with E, N and C of the column. */
struct Row {
  float a, b;
  float threshold;  // the k-th largest lower bound so far
  uint32_t count;   // candidates
};

/** Everything about the columns that the margin needs, by column. */
struct Columns {
  float *bias, *E, *N, *C;
};

struct Screen {
  const Encoder& e;
  size_t pairs;  // along d
  size_t room;   // candidates a row
  float floor;  // where k is 0: what an entry must reach
  uint32_t *x, *W;
  Norms* norms;  // of the rows, then of one tile's columns
  Columns columns;
  Row* rows;
  float* lower;  // heaps of the k largest lower bounds, [kRowsPerChunk, k]
  Candidate* candidates;
  uint8_t* undone;
};

size_t roomFor(const Encoder& e) { return 6 * e.k + 192; }

void sinkFloat(float* heap, size_t n, float moving) {
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && heap[child + 1] < heap[child]) child++;
    if (!(heap[child] < moving)) break;
    heap[at] = heap[child];
  }
  heap[at] = moving;
}

/** Drops what the threshold has overtaken. */
void compact(const Screen& s, size_t i) {
  Row& row = s.rows[i];
  Candidate* list = s.candidates + i * s.room;
  uint32_t left = 0;
  for (uint32_t c = 0; c < row.count; c++)
    if (!(list[c].value < row.threshold)) list[left++] = list[c];
  row.count = left;
}

/** Takes in one entry: its approximation and its margin. A row that keeps too much is left to the float32 kernel. */
void offer(const Screen& s, size_t i, int32_t column, float value, float margin) {
  Row& row = s.rows[i];
  float upper = value + margin, low = value - margin;
  if (upper < row.threshold || s.undone[i]) return;
  s.candidates[i * s.room + row.count++] = {upper, column};
  float* heap = s.lower + i * s.e.k;
  if (s.e.k > 0 && low > heap[0]) {
    sinkFloat(heap, s.e.k, low);
    row.threshold = heap[0];
  }
  if (row.count < s.room) return;
  compact(s, i);
  if (row.count <= s.room / 4 * 3) return;
  s.undone[i] = 1;
  row.threshold = __builtin_inff();
  row.count = 0;
}

/** Products::kRows rows from row `i` on by kPairCols columns from column `j` on, whose packed strip is W. */
template <class Products>
SAX_BF16 void screenTile(const Screen& s, typename Products::Session& session, size_t i, size_t rows, size_t j, size_t cols,
                         const uint32_t* W) {
  alignas(64) float values[Products::kRows][kPairCols];
  Products::multiply(session, s.x + i * s.pairs, W, s.pairs, 0, s.pairs, values[0], kPairCols);
  const Columns& c = s.columns;
  for (size_t r = 0; r < rows; r++) {
    const Row& row = s.rows[i + r];
    __m512 a = _mm512_set1_ps(row.a), b = _mm512_set1_ps(row.b), least = _mm512_set1_ps(row.threshold);
    for (size_t v = 0; v < kPairCols && v < cols; v += 16) {
      __m512 value = _mm512_add_ps(_mm512_load_ps(values[r] + v), _mm512_load_ps(c.bias + j + v));
      __m512 margin = _mm512_fmadd_ps(b, _mm512_load_ps(c.N + j + v), _mm512_load_ps(c.C + j + v));
      margin = _mm512_fmadd_ps(a, _mm512_load_ps(c.E + j + v), margin);
      uint32_t kept = _mm512_cmp_ps_mask(_mm512_add_ps(value, margin), least, _CMP_NLT_UQ);
      if (cols - v < 16) kept &= (1u << (cols - v)) - 1;
      if (kept == 0) continue;
      alignas(64) float margins[16];
      _mm512_store_ps(values[r] + v, value);
      _mm512_store_ps(margins, margin);
      for (; kept != 0; kept &= kept - 1) {
        int l = __builtin_ctz(kept);
        offer(s, i + r, static_cast<int32_t>(j + v + l), values[r][v + l], margins[l]);
      }
    }
  }
}

/** Packs columns [j0, j0 + cols) of W and fills in what their margins need. */
void packTile(const Screen& s, size_t j0, size_t cols) {
  const Encoder& e = s.e;
  forTasks(ceilDiv(cols, kPairCols), [&](size_t strip) {
    size_t j = j0 + strip * kPairCols, count = least(kPairCols, j0 + cols - j);
    Norms norms[kPairCols];
    pairColumns(s.W + strip * kPairCols * s.pairs, e.W + j, e.across, e.d, s.pairs, count, norms);
    for (size_t c = 0; c < count; c++) {
      bool wild = isWild(norms[c]);
      s.columns.bias[j + c] = e.bias[j + c];
      s.columns.E[j + c] = wild ? __builtin_inff() : norms[c].lost;
      s.columns.N[j + c] = wild ? __builtin_inff() : norms[c].whole;
      s.columns.C[j + c] = 0x1p-22f * __builtin_fabsf(e.bias[j + c]) + 0x1p-108f;
    }
  });
}

/** Packs the rows, sets their margins, empties their lists. */
template <class Products>
void packRows(const Screen& s) {
  const Encoder& e = s.e;
  constexpr size_t kRows = Products::kRows;
  forTasks(ceilDiv(e.n, kRows), [&](size_t strip) {
    size_t i = strip * kRows, count = least(kRows, e.n - i);
    Norms norms[kRows];
    packRowsFor<Products>(s.x + i * s.pairs, e.x + i * e.d, e.d, s.pairs, count, norms);
    for (size_t r = 0; r < count; r++) {
      s.undone[i + r] = isWild(norms[r]);
      // Where nothing is kept: NaN compares false with everything, and a kept NaN is turned away by `undone`.
      float threshold = s.undone[i + r] ? __builtin_inff() : e.k == 0 ? s.floor : -__builtin_inff();
      RowMargin margin = rowMargin(norms[r], e.d);
      s.rows[i + r] = {margin.a, margin.b, threshold, 0};
      for (size_t q = 0; q < e.k; q++) s.lower[(i + r) * e.k + q] = -__builtin_inff();
    }
  });
}

/** The float32 values of all candidates. */
void rescore(const Screen& s, uint32_t* starts, uint32_t* order) {
  const Encoder& e = s.e;
  rescoreLists(
      {s.candidates, e.n, s.room, starts, order}, e.x, e.d, ceilDiv(e.features, size_t{32}),
      [&](size_t i) { return s.rows[i].count; },
      [&](size_t b) { return Strip{e.W + b * 32, e.across, least<size_t>(32, e.features - b * 32)}; },
      [&](Candidate& candidate, float sum) { candidate.value = sum + e.bias[candidate.column]; });
}

void select(const Screen& s) {
  const Encoder& e = s.e;
  forRange(e.n, 64, [&](size_t begin, size_t end) {
    int32_t* keys = static_cast<int32_t*>(scratch(3, (s.room + 2 * e.k) * sizeof(int32_t)));
    int32_t *kept = keys + s.room, *places = kept + e.k;
    for (size_t i = begin; i < end; i++) {
      if (s.undone[i]) continue;
      const Candidate* list = s.candidates + i * s.room;
      for (size_t c = 0; c < s.rows[i].count; c++) keys[c] = keyOf(list[c].value);
      takeBest(keys, s.rows[i].count, e.k, 0, kept, places);
      // Candidates stand in the order of the columns.
      for (size_t q = 0; q < e.k; q++) places[q] = list[places[q]].column;
      writeSorted(kept, places, e.k, e.values + i * e.k, e.indices + i * e.k);
    }
  });
}

size_t countUndone(const uint8_t* undone, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += undone[i];
  return count;
}

/** Appends the rescored candidates with keys from `floor` on. */
void takeIn(const Screen& s, size_t firstRow, int32_t floor, Found& found) {
  for (size_t i = 0; i < s.e.n; i++) {
    if (s.undone[i]) continue;
    const Candidate* list = s.candidates + i * s.room;
    found.grow(s.rows[i].count);
    for (size_t c = 0; c < s.rows[i].count; c++) {
      int32_t key = keyOf(list[c].value);
      if (key < floor) continue;
      found.keys[found.count] = key;
      found.columns[found.count] = list[c].column;
      found.rows[found.count++] = static_cast<int32_t>(firstRow + i);
    }
  }
}

/** One chunk of rows; `use` gets the rescored candidates. @returns the rows left. */
template <class Products, class F>
size_t screenChunk(const Encoder& e, size_t room, float floor, uint8_t* undone, const F& use) {
  constexpr size_t kRows = Products::kRows;
  static_assert(kScreenRows % kRows == 0);
  size_t pairs = Products::pairsOf(e.d), stripCols = ceilDiv(e.features, kPairCols) * kPairCols;
  size_t width = least(kScreenCols, most<size_t>(1, kScreenWords / pairs / kPairCols) * kPairCols);
  Screen s{e, pairs, room, floor, nullptr, nullptr, nullptr, {}, nullptr, nullptr, nullptr, undone};
  uint32_t *starts = nullptr, *order = nullptr;
  auto carve = [&](char* block) {
    Carver carver{block, 0};
    s.x = carver.take<uint32_t>(ceilDiv(e.n, kRows) * kRows * pairs);
    s.W = carver.take<uint32_t>(least(stripCols, width) * pairs);
    s.columns = {carver.take<float>(stripCols), carver.take<float>(stripCols), carver.take<float>(stripCols),
                 carver.take<float>(stripCols)};
    s.rows = carver.take<Row>(e.n);
    s.lower = carver.take<float>(e.n * e.k);
    s.candidates = carver.take<Candidate>(e.n * s.room);
    starts = carver.take<uint32_t>(stripCols / 32 + 1);
    order = carver.take<uint32_t>(e.n * s.room);
    return carver.used;
  };
  carve(static_cast<char*>(scratch(4, carve(nullptr))));
  packRows<Products>(s);
  for (size_t j0 = 0; j0 < e.features; j0 += width) {
    size_t cols = least(width, e.features - j0);
    packTile(s, j0, cols);
    forTasks(ceilDiv(e.n, kScreenRows), [&](size_t task) {
      typename Products::Session session;
      size_t last = least(e.n, (task + 1) * kScreenRows);
      for (size_t j = 0; j < cols; j += kPairCols)
        for (size_t i = task * kScreenRows; i < last; i += kRows)
          screenTile<Products>(s, session, i, least(kRows, last - i), j0 + j, least(kPairCols, cols - j), s.W + j * pairs);
    });
    if (countUndone(undone, e.n) > e.n / 4) {
      __builtin_memset(undone, 1, e.n);
      return e.n;
    }
  }
  forRange(e.n, 64, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) compact(s, i);
  });
  rescore(s, starts, order);
  use(s);
  return countUndone(undone, e.n);
}

}  // namespace

bool canScreen(const Encoder& e, bool always) {
  if (!hasDots() || e.d > kScreenDepth || e.features >= (size_t{1} << 30)) return false;
  if (always) return true;
  // Intel's dot product of bfloat16 is slower than its float32 product (.65 × on a Xeon with AMX), AMD's twice as fast.
  if (screeningProducts() == ByDots && __builtin_cpu_is("intel")) return false;
  // Packing and bookkeeping must be small beside the product, and the candidates beside the features.
  return e.n >= 64 && e.d >= 192 && e.features >= 512 && e.features >= 32 * e.k;
}

/** run(part, first) for the rows of e chunk by chunk. @returns the sum of its results. */
template <class F>
static size_t byChunks(const Encoder& e, const F& run) {
  size_t left = 0;
  for (size_t i = 0; i < e.n; i += kRowsPerChunk) {
    Encoder part = e;
    part.n = least(kRowsPerChunk, e.n - i);
    part.x += i * e.d;
    left += run(part, i);
  }
  return left;
}

size_t screenTopK(const Encoder& e, uint8_t* undone) {
  return byChunks(e, [&](Encoder& part, size_t first) {
    part.values += first * e.k;
    part.indices += first * e.k;
    return withProducts([&](auto products) {
      return screenChunk<decltype(products)>(part, roomFor(e), 0, undone + first, [](const Screen& s) { select(s); });
    });
  });
}

size_t screenAbove(const Encoder& e, int32_t floor, size_t room, uint8_t* undone, Found& found) {
  return byChunks(e, [&](Encoder& part, size_t first) {
    return withProducts([&](auto products) {
      return screenChunk<decltype(products)>(part, room, floatOf(floor), undone + first,
                                             [&](const Screen& s) { takeIn(s, first, floor, found); });
    });
  });
}

#endif

SAX_END
