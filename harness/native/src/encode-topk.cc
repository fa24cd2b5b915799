/** @file The k largest entries of each row of x · W + bias. */
#include "bfloat.h"
#include "encode-tile.h"

SAX_BEGIN

namespace {

/** The best entries of the rows so far, at most k of each once a tile is done with; there is room for 2k. */
struct Lists {
  size_t k;
  int32_t *keys, *places, *counts;

  /** Drops what is beyond the best k of row i; `spare` takes 2k. @returns the worst key kept. */
  int32_t reduce(size_t i, int32_t* spare) const {
    int32_t *key = keys + 2 * k * i, *place = places + 2 * k * i;
    size_t count = static_cast<size_t>(counts[i]);
    if (count > k) {
      takeBest(key, count, k, 0, spare, spare + k);
      for (size_t q = 0; q < k; q++) key[q] = spare[q], place[q] = place[spare[k + q]];
      counts[i] = static_cast<int32_t>(k);
    }
    int32_t worst = INT32_MAX;
    for (size_t q = 0; q < k; q++) worst = least(worst, key[q]);
    return worst;
  }

  /** Takes in a tile's keys of row i, the first of which is at place `first`. */
  void offer(size_t i, const int32_t* tile, size_t cols, int32_t first, int32_t* spare) const {
    size_t count = static_cast<size_t>(counts[i]);
    int32_t floor = INT32_MIN;
    if (count == k) {
      int32_t worst = reduce(i, spare);
      if (worst == INT32_MAX) return;
      floor = worst + 1;  // an equal entry further right is no better
    }
    size_t better = countFrom(tile, cols, floor);
    if (better == 0) return;
    int32_t *key = keys + 2 * k * i + count, *place = places + 2 * k * i + count;
    if (better > k) takeBest(tile, cols, k, first, key, place);
    else takeFrom(tile, cols, floor, first, key, place);
    counts[i] += static_cast<int32_t>(least(better, k));
    if (static_cast<size_t>(counts[i]) > k) reduce(i, spare);
  }
};

/** Every row in float32. */
void encodeAll(const Encoder& e) {
  size_t n = e.n, k = e.k;
  Lists lists{k, static_cast<int32_t*>(scratch(3, (4 * k + 1) * n * sizeof(int32_t))), nullptr, nullptr};
  lists.places = lists.keys + 2 * k * n;
  lists.counts = lists.places + 2 * k * n;
  __builtin_memset(lists.counts, 0, n * sizeof(int32_t));
  eachTile(e, 2 * k, [&](const Tile& t, int32_t* spare) {
    for (size_t i = 0; i < t.rows; i++) {
      const float *z = t.z + i * t.stride, *bias = e.bias + t.j0;
      int32_t* keys = t.keys;
      for (size_t j = 0; j < t.cols; j++) keys[j] = keyOf(z[j] + bias[j]);
      lists.offer(t.i0 + i, keys, t.cols, static_cast<int32_t>(t.j0), spare);
    }
  });
  forRange(n, 64, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
      writeSorted(lists.keys + 2 * k * i, lists.places + 2 * k * i, k, e.values + i * k, e.indices + i * k);
  });
}

/** The rows marked in `undone`, `count` of them, gathered, encoded and put back. */
void encodeMarked(const Encoder& e, const uint8_t* undone, size_t count) {
  // `undone` is in slot 5; what screening kept in slot 4 is no longer needed.
  float* x = static_cast<float*>(scratch(4, count * (e.d + 2 * e.k) * sizeof(float)));
  float* values = x + count * e.d;
  int32_t* indices = reinterpret_cast<int32_t*>(values + count * e.k);
  size_t at = 0;
  for (size_t i = 0; i < e.n; i++)
    if (undone[i]) __builtin_memcpy(x + at++ * e.d, e.x + i * e.d, e.d * sizeof(float));
  Encoder part = e;
  part.n = count;
  part.x = x;
  part.values = values;
  part.indices = indices;
  encodeAll(part);
  at = 0;
  for (size_t i = 0; i < e.n; i++) {
    if (!undone[i]) continue;
    __builtin_memcpy(e.values + i * e.k, values + at * e.k, e.k * sizeof(float));
    __builtin_memcpy(e.indices + i * e.k, indices + at * e.k, e.k * sizeof(int32_t));
    at++;
  }
}

int mode = 0, products = ByBest;
size_t screened = 0, unsettled = 0;

/** By screening where it serves, else in float32. */
void encodeRows(const Encoder& e) {
  if (e.n == 0) return;
  if (mode == 1 || !canScreen(e, mode == 2)) return encodeAll(e);
  uint8_t* undone = static_cast<uint8_t*>(scratch(5, e.n));
  size_t left = screenTopK(e, undone);
  countScreened(e.n, left);
  if (left == e.n) return encodeAll(e);
  if (left > 0) encodeMarked(e, undone, left);
}

}  // namespace

int screeningMode() { return mode; }

BfloatProducts screeningProducts() {
  if (products != ByBest) return static_cast<BfloatProducts>(products);
  return hasTiles() ? ByTiles : ByDots;
}

const char* bfloatUnit() {
#ifdef SAX_SCREENING
  if (hasDots()) return hasTiles() ? "amx_bf16" : "avx512_bf16";
#endif
  return "";
}

void resetScreened() { screened = unsettled = 0; }

void countScreened(size_t rows, size_t left) {
  __atomic_fetch_add(&screened, rows, __ATOMIC_RELAXED);
  __atomic_fetch_add(&unsettled, left, __ATOMIC_RELAXED);
}

/**
 * Buffer: int32 [4], in: the mode as `screeningMode` gives it, and `BfloatProducts`; out: rows of the last call that screening was tried
 * on, those it left, and what products it takes.
 */
void screening(Call& c) {
  if (!holds(c, 0, I32, 4)) return;
  int32_t wanted = i32(c, 0)[3];
  if (wanted < ByBest || wanted > ByModel || (wanted == ByTiles && !hasTiles())) {
    c.error = "native screening: this CPU has no such products";
    return;
  }
  mode = i32(c, 0)[0];
  products = wanted;
  i32(c, 0)[3] = screeningProducts();
  i32(c, 0)[1] = static_cast<int32_t>(screened);
  i32(c, 0)[2] = static_cast<int32_t>(unsettled);
}

/**
 * Buffers: values, indices [n, k], x [n, d], W [d, features], bias [features], and as encodeTopKGrouped ends int32 [groups]. Rows up to ends[0] are encoded
 * by the first features / groups columns of W, those from there to ends[1] by the next, and so on; the indices are those of the
 * whole W. Params: n, d ≥ 1, features, 1 ≤ k ≤ features / groups.
 */
void encodeTopK(Call& c) {
  bool grouped = c.count > 5;
  size_t groups = grouped ? most<size_t>(1, c.buf[5].length) : 1, features = sizeParam(c, 2), width = features / groups;
  Encoder e{sizeParam(c, 0), sizeParam(c, 1), width, sizeParam(c, 3), features,
            f32(c, 2), f32(c, 3), f32(c, 4), f32(c, 0), i32(c, 1)};
  if (!holds(c, 0, F32, e.n * e.k) || !holds(c, 1, I32, e.n * e.k) || !holds(c, 2, F32, e.n * e.d) ||
      !holds(c, 3, F32, e.d * features) || !holds(c, 4, F32, features) || (grouped && !holds(c, 5, I32, groups)))
    return;
  if (e.d < 1 || e.k < 1 || e.k > width || width * groups != features) {
    c.error = "native encode and top k: k, the groups or the input width are out of range";
    return;
  }
  int32_t all = static_cast<int32_t>(e.n);
  const int32_t* ends = grouped ? i32(c, 5) : &all;
  for (size_t g = 0; g < groups; g++) {
    if (ends[g] >= (g == 0 ? 0 : ends[g - 1]) && size_t(ends[g]) <= e.n && (g + 1 < groups || size_t(ends[g]) == e.n)) continue;
    c.error = "native encode and top k: the groups' ends do not ascend to the number of rows";
    return;
  }
  resetScreened();
  auto encodeGroup = [&](size_t g) {
    size_t begin = g == 0 ? 0 : size_t(ends[g - 1]);
    Encoder part = e;
    part.n = size_t(ends[g]) - begin;
    part.x += begin * e.d;
    part.W += g * width;
    part.bias += g * width;
    part.values += begin * e.k;
    part.indices += begin * e.k;
    encodeRows(part);
    if (g > 0)
      for (size_t p = 0; p < part.n * e.k; p++) part.indices[p] += static_cast<int32_t>(g * width);
  };
  // A group of more than a thread's share of the rows is spread over the threads, the others are one thread's each.
  size_t share = e.n / size_t(threadCount());
  auto rowsOf = [&](size_t g) { return size_t(ends[g]) - (g == 0 ? 0 : size_t(ends[g - 1])); };
  for (size_t g = 0; g < groups; g++)
    if (rowsOf(g) > share) encodeGroup(g);
  forTasks(groups, [&](size_t g) {
    if (rowsOf(g) <= share) encodeGroup(g);
  });
}

SAX_END
