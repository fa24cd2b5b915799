/**
 * @file All entries of x · W + bias above a floor, and from them the largest of a whole batch: sparse codes with rows of
 * different lengths, as CSR. An entry is compared as its key (select.h); the columns of a row ascend.
 */
#include "encode-tile.h"

SAX_BEGIN

namespace {

/** The entries of a whole batch. `starts` has n + 1 numbers. */
struct Entries {
  int32_t *keys, *columns;
  uint32_t* starts;
};

/** Keys of row i of a tile. */
void keysOfRow(const Encoder& e, const Tile& t, size_t i) {
  const float *z = t.z + i * t.stride, *bias = e.bias + t.j0;
  for (size_t j = 0; j < t.cols; j++) t.keys[j] = keyOf(z[j] + bias[j]);
}

/** Entries with keys from `floor` on by the float32 kernel, a Found for every task; stops beyond `limit`. @returns how many. */
size_t findAll(const Encoder& e, int32_t floor, size_t limit, Found* found) {
  size_t total = 0;
  eachTile(e, 0, [&](const Tile& t, int32_t*) {
    if (__atomic_load_n(&total, __ATOMIC_RELAXED) > limit) return;
    Found& f = found[t.i0 / kRowsPerTask];
    size_t before = f.count;
    for (size_t i = 0; i < t.rows; i++) {
      keysOfRow(e, t, i);
      f.grow(t.cols);
      size_t count = takeFrom(t.keys, t.cols, floor, static_cast<int32_t>(t.j0), f.keys + f.count, f.columns + f.count);
      for (size_t q = 0; q < count; q++) f.rows[f.count + q] = static_cast<int32_t>(t.i0 + i);
      f.count += count;
    }
    __atomic_fetch_add(&total, f.count - before, __ATOMIC_RELAXED);
  });
  return total;
}

/** The entries by rows, in scratch slot 3. */
void place(const Found* found, size_t lists, size_t total, size_t n, Entries& out) {
  out.keys = static_cast<int32_t*>(scratch(3, (2 * total + n + 1) * sizeof(int32_t)));
  out.columns = out.keys + total;
  out.starts = reinterpret_cast<uint32_t*>(out.columns + total);
  __builtin_memset(out.starts, 0, (n + 1) * sizeof(uint32_t));
  // Each start is set one place too far and moves to its own while its row is filled.
  uint32_t* next = out.starts + 1;
  for (size_t b = 0; b < lists; b++)
    for (size_t q = 0; q < found[b].count; q++)
      if (size_t row = static_cast<size_t>(found[b].rows[q]) + 1; row < n) next[row]++;
  for (size_t i = 1; i < n; i++) next[i] += next[i - 1];
  for (size_t b = 0; b < lists; b++) {
    const Found& f = found[b];
    for (size_t q = 0; q < f.count; q++) {
      uint32_t at = next[f.rows[q]]++;
      out.keys[at] = f.keys[q];
      out.columns[at] = f.columns[q];
    }
  }
}

/**
 * Screens all rows into `found` and gathers in x those that are left, whose numbers are `rows`, which the caller frees and x is
 * part of; both stay null where all or none are. @returns how many are left: e.n where screening does not serve.
 */
size_t screenFirst(const Encoder& e, int32_t floor, size_t room, Found& found, float*& x, int32_t*& rows) {
  if (screeningMode() == 1 || !canScreen(e, screeningMode() == 2)) return e.n;
  uint8_t* undone = static_cast<uint8_t*>(scratch(5, e.n));
  size_t left = screenAbove(e, floor, room, undone, found);
  if (left == e.n || left == 0) return left;
  rows = static_cast<int32_t*>(__builtin_malloc(left * (sizeof(int32_t) + e.d * sizeof(float))));
  if (!rows) __builtin_abort();
  x = reinterpret_cast<float*>(rows + left);
  size_t at = 0;
  for (size_t i = 0; i < e.n; i++) {
    if (!undone[i]) continue;
    __builtin_memcpy(x + at * e.d, e.x + i * e.d, e.d * sizeof(float));
    rows[at++] = static_cast<int32_t>(i);
  }
  return left;
}

/**
 * Entries with keys from `floor` on, in scratch slot 3; about `expected` are. @returns how many there are, beyond `limit` at
 * least so many, and then the entries are not there.
 */
size_t collect(const Encoder& e, int32_t floor, size_t expected, size_t limit, Entries& out) {
  size_t lists = ceilDiv(e.n, kRowsPerTask) + 1;
  Found* found = static_cast<Found*>(__builtin_malloc(lists * sizeof(Found)));
  if (!found) __builtin_abort();
  for (size_t b = 0; b < lists; b++) found[b] = {nullptr, nullptr, nullptr, 0, 0};
  float* x = nullptr;
  int32_t* rows = nullptr;
  Encoder left = e;
  left.n = screenFirst(e, floor, least<size_t>(8 * expected / e.n + 192, 1024), found[0], x, rows);
  if (rows) left.x = x;
  // What was found of a chunk before another gave up counts for nothing.
  if (left.n == e.n) found[0].count = 0;
  size_t total = found[0].count;
  if (left.n > 0 && total <= limit) total += findAll(left, floor, limit - total, found + 1);
  if (rows)
    for (size_t b = 1; b < lists; b++)
      for (size_t q = 0; q < found[b].count; q++) found[b].rows[q] = rows[found[b].rows[q]];
  if (total <= limit) place(found, lists, total, e.n, out);
  __builtin_free(rows);
  for (size_t b = 0; b < lists; b++) found[b].free();
  __builtin_free(found);
  return total;
}

constexpr size_t kSampleRows = 32;

/** Keys above 0 as many as at most `count` in the whole batch may be, judged by a few of its rows: about twice as many. */
int32_t guessFloor(const Encoder& e, size_t count) {
  if (e.n < 4 * kSampleRows) return 1;
  float* x = static_cast<float*>(scratch(4, kSampleRows * (e.d + e.features) * sizeof(float)));
  int32_t* keys = reinterpret_cast<int32_t*>(x + kSampleRows * e.d);
  for (size_t i = 0; i < kSampleRows; i++)
    __builtin_memcpy(x + i * e.d, e.x + i * e.n / kSampleRows * e.d, e.d * sizeof(float));
  Encoder sample = e;
  sample.n = kSampleRows;
  sample.x = x;
  eachTile(sample, 0, [&](const Tile& t, int32_t*) {
    for (size_t i = 0; i < t.rows; i++) {
      keysOfRow(sample, t, i);
      __builtin_memcpy(keys + (t.i0 + i) * e.features + t.j0, t.keys, t.cols * sizeof(int32_t));
    }
  });
  size_t wanted = 2 * count * kSampleRows / e.n + kSampleRows;
  if (wanted >= kSampleRows * e.features) return 1;
  return most(1, cutFor(keys, kSampleRows * e.features, wanted, INT32_MIN));
}

}  // namespace

/**
 * Entries above 0 in CSR, at most `limit`. Buffers: values, columns [limit], ends int32 [n + 1] (where each row ends; then how
 * many there are: beyond `limit` the others are undefined), x [n, d], W [d, features], bias [features]. Params: n, d ≥ 1,
 * features ≥ 1, limit.
 */
void encodeAbove(Call& c) {
  size_t n = sizeParam(c, 0), d = sizeParam(c, 1), features = sizeParam(c, 2), limit = sizeParam(c, 3);
  if (!holds(c, 0, F32, limit) || !holds(c, 1, I32, limit) || !holds(c, 2, I32, n + 1) || !holds(c, 3, F32, n * d) ||
      !holds(c, 4, F32, d * features) || !holds(c, 5, F32, features))
    return;
  if (d < 1 || features < 1) {
    c.error = "native encode: the encoder is empty";
    return;
  }
  int32_t* ends = i32(c, 2);
  ends[n] = 0;
  if (n == 0) return;
  Encoder e{n, d, features, 0, features, f32(c, 3), f32(c, 4), f32(c, 5), nullptr, nullptr};
  Entries all;
  size_t total = collect(e, 1, least(limit, 128 * n), limit, all);
  ends[n] = static_cast<int32_t>(least<size_t>(total, INT32_MAX));
  if (total > limit) return;
  for (size_t i = 0; i < n; i++) ends[i] = static_cast<int32_t>(all.starts[i + 1]);
  for (size_t q = 0; q < total; q++) f32(c, 0)[q] = floatOf(all.keys[q]);
  __builtin_memcpy(i32(c, 1), all.columns, total * sizeof(int32_t));
}

/**
 * The `count` largest entries above 0 of the whole batch, or all where there are fewer; of equal ones the lowest row, then the
 * lowest column. Buffers and params as above, with `count` for the limit; all are there.
 */
void encodeBatchTopK(Call& c) {
  size_t n = sizeParam(c, 0), d = sizeParam(c, 1), features = sizeParam(c, 2), count = sizeParam(c, 3);
  if (!holds(c, 0, F32, count) || !holds(c, 1, I32, count) || !holds(c, 2, I32, n + 1) || !holds(c, 3, F32, n * d) ||
      !holds(c, 4, F32, d * features) || !holds(c, 5, F32, features))
    return;
  if (d < 1 || features < 1 || count > n * features || count > INT32_MAX) {
    c.error = "native encode and batch top k: the encoder is empty or the count is out of range";
    return;
  }
  int32_t* ends = i32(c, 2);
  __builtin_memset(ends, 0, (n + 1) * sizeof(int32_t));
  if (n == 0 || count == 0) return;
  Encoder e{n, d, features, 0, features, f32(c, 3), f32(c, 4), f32(c, 5), nullptr, nullptr};
  Entries all;
  int32_t floor = guessFloor(e, count);
  size_t total = collect(e, floor, 2 * count, SIZE_MAX, all);
  // A sample may be unlike its batch.
  if (total < count && floor > 1) total = collect(e, 1, 2 * count, SIZE_MAX, all);
  size_t kept = least(total, count);
  if (kept > 0) {
    int32_t* best = static_cast<int32_t*>(scratch(5, 2 * kept * sizeof(int32_t)));
    int32_t* places = best + kept;
    takeBest(all.keys, total, kept, 0, best, places);
    size_t row = 0;
    for (size_t q = 0; q < kept; q++) {
      size_t at = static_cast<size_t>(places[q]);
      while (at >= all.starts[row + 1]) row++;
      ends[row]++;
      f32(c, 0)[q] = floatOf(best[q]);
      i32(c, 1)[q] = all.columns[at];
    }
  }
  for (size_t i = 1; i < n; i++) ends[i] += ends[i - 1];
  ends[n] = static_cast<int32_t>(kept);
}

SAX_END
