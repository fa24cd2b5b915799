/**
 * @file The best k of a stream of numbers: a heap with the worst at its root. Blocks of the stream are compared with the
 * root, so that almost all of a long row costs one vector comparison.
 */
#pragma once
#include "isa.h"

SAX_BEGIN

template <class T>
struct Pair {
  T value;
  int32_t index;
};

/** a comes after b in the output. NaN sorts last, by index. */
template <class T>
static inline bool worse(const Pair<T>& a, const Pair<T>& b) {
  if (a.value < b.value) return true;
  if (a.value > b.value) return false;
  bool na = a.value != a.value, nb = b.value != b.value;
  if (na != nb) return na;
  return a.index > b.index;
}

/** Restores the heap (worst at the root) of `n` pairs below position `at`. */
template <class T>
static inline void sink(Pair<T>* heap, size_t n, size_t at) {
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

/** Takes in `count` numbers with indices from `first`; the heap holds k ≥ 1. */
template <class T>
static inline void offerRun(Pair<T>* heap, size_t k, const T* x, size_t count, size_t first) {
  auto offer = [&](size_t j) {
    Pair<T> candidate{x[j], static_cast<int32_t>(first + j)};
    if (!worse(heap[0], candidate)) return;
    heap[0] = candidate;
    sink(heap, k, 0);
  };
  constexpr size_t B = 64;
  size_t j = 0;
  for (; j + B <= count; j += B) {
    // With a NaN at the root every number is better: !(x <= worst) says so.
    T worst = heap[0].value;
    int any = 0;
    for (size_t l = 0; l < B; l++) any |= !(x[j + l] <= worst);
    if (any)
      for (size_t l = 0; l < B; l++) offer(j + l);
  }
  for (; j < count; j++) offer(j);
}

/** Empties the heap of k pairs into values and indices, best first. */
template <class T>
static inline void drainHeap(Pair<T>* heap, size_t k, T* values, int32_t* indices) {
  for (size_t left = k; left > 0; left--) {
    values[left - 1] = heap[0].value;
    indices[left - 1] = heap[0].index;
    heap[0] = heap[left - 1];
    sink(heap, left - 1, 0);
  }
}

SAX_END
