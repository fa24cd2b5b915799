/**
 * @file The k largest of each row, largest first, ties by lower index: short rows of floats by bisection on a cut, others in
 * one pass with a heap of the best k.
 */
#include "heap.h"
#include "select.h"

SAX_BEGIN

namespace {

template <class T>
void topOfRow(const T* x, size_t n, size_t k, T* values, int32_t* indices, Pair<T>* heap) {
  for (size_t i = 0; i < k; i++) heap[i] = {x[i], static_cast<int32_t>(i)};
  for (size_t i = k / 2; i-- > 0;) sink(heap, k, i);
  offerRun(heap, k, x + k, n - k, k);
  drainHeap(heap, k, values, indices);
}

/** Rows up to this long are cut: their keys stay in the first level cache. */
constexpr size_t kShort = 4096;

void topOfShortRows(Call& c, size_t rows, size_t n, size_t k) {
  forRange(rows, most<size_t>(1, (1 << 14) / n), [&](size_t begin, size_t end) {
    int32_t* keys = static_cast<int32_t*>(scratch(3, (n + 2 * k) * sizeof(int32_t)));
    int32_t *kept = keys + n, *places = kept + k;
    for (size_t r = begin; r < end; r++) {
      const float* x = f32(c, 2) + r * n;
      for (size_t i = 0; i < n; i++) keys[i] = keyOf(x[i]);
      takeBest(keys, n, k, 0, kept, places);
      writeSorted(kept, places, k, f32(c, 0) + r * k, i32(c, 1) + r * k);
    }
  });
}

template <class T>
void topOf(Call& c, size_t rows, size_t n, size_t k) {
  size_t grain = most<size_t>(1, (1 << 14) / most<size_t>(n, 1));
  forRange(rows, grain, [&](size_t begin, size_t end) {
    Pair<T>* heap = static_cast<Pair<T>*>(scratch(3, most<size_t>(k, 1) * sizeof(Pair<T>)));
    for (size_t r = begin; r < end; r++)
      topOfRow(static_cast<const T*>(c.buf[2].data) + r * n, n, k, static_cast<T*>(c.buf[0].data) + r * k,
               i32(c, 1) + r * k, heap);
  });
}

}  // namespace

/** Buffers: values, indices, x (float32 or int32). Params: rows, n, k ≤ n. */
void topK(Call& c) {
  size_t rows = sizeParam(c, 0), n = sizeParam(c, 1), k = sizeParam(c, 2);
  Type t = c.buf[2].type;
  if (!holds(c, 0, t, rows * k) || !holds(c, 1, I32, rows * k) || !holds(c, 2, t, rows * n)) return;
  if (k > n) {
    c.error = "native top k: k exceeds the row";
    return;
  }
  if (k == 0) return;
  if (t == F32 && n <= kShort) return topOfShortRows(c, rows, n, k);
  if (t == F32) return topOf<float>(c, rows, n, k);
  if (t == I32) return topOf<int32_t>(c, rows, n, k);
  c.error = "native top k: this type is not served";
}

SAX_END
