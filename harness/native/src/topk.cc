/**
 * @file The k largest of each row, largest first, ties by lower index. One pass keeps a heap of the best k and compares
 * blocks of the row with the worst of them, so that almost all of a long row costs one vector comparison.
 */
#include "math.h"

SAX_BEGIN

namespace {

template <class T>
struct Pair {
  T value;
  int32_t index;
};

/** a comes after b in the output. NaN sorts last, by index. */
template <class T>
inline bool worse(const Pair<T>& a, const Pair<T>& b) {
  if (a.value < b.value) return true;
  if (a.value > b.value) return false;
  bool na = a.value != a.value, nb = b.value != b.value;
  if (na != nb) return na;
  return a.index > b.index;
}

/** Restores the heap (worst at the root) of `n` pairs below position `at`. */
template <class T>
inline void sink(Pair<T>* heap, size_t n, size_t at) {
  Pair<T> moving = heap[at];
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= n) break;
    if (child + 1 < n && worse(heap[child + 1], heap[child])) child++;
    if (!worse(heap[child], moving)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moving;
}

template <class T>
void topOfRow(const T* x, size_t n, size_t k, T* values, int32_t* indices, Pair<T>* heap) {
  for (size_t i = 0; i < k; i++) heap[i] = {x[i], static_cast<int32_t>(i)};
  for (size_t i = k / 2; i-- > 0;) sink(heap, k, i);
  auto offer = [&](size_t j) {
    Pair<T> candidate{x[j], static_cast<int32_t>(j)};
    if (!worse(heap[0], candidate)) return;
    heap[0] = candidate;
    sink(heap, k, 0);
  };
  constexpr size_t B = 64;
  size_t j = k;
  for (; j + B <= n; j += B) {
    // With a NaN at the root every number is better: !(x <= worst) says so.
    T worst = heap[0].value;
    int any = 0;
    for (size_t l = 0; l < B; l++) any |= !(x[j + l] <= worst);
    if (any)
      for (size_t l = 0; l < B; l++) offer(j + l);
  }
  for (; j < n; j++) offer(j);
  for (size_t left = k; left > 0; left--) {
    values[left - 1] = heap[0].value;
    indices[left - 1] = heap[0].index;
    heap[0] = heap[left - 1];
    sink(heap, left - 1, 0);
  }
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
  if (t == F32) return topOf<float>(c, rows, n, k);
  if (t == I32) return topOf<int32_t>(c, rows, n, k);
  c.error = "native top k: this type is not served";
}

SAX_END
