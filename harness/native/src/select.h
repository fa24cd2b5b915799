/**
 * @file The best k of a list of floats by bisection on a cut: a few passes of comparisons over what lies in cache, and no
 * branch that depends on the numbers. Floats are compared as integers of the same order.
 */
#pragma once
#include "isa.h"
#if SAX_VECTOR_BYTES == 64 && defined(__x86_64__)
#include <immintrin.h>
#endif

SAX_BEGIN

/** An integer in the order of TopK: both zeros are one number, NaN comes after everything. */
static inline int32_t keyOf(float x) {
  float same = x + 0.0f;  // −0 becomes 0
  int32_t bits;
  __builtin_memcpy(&bits, &same, sizeof bits);
  int32_t key = bits ^ static_cast<int32_t>(static_cast<uint32_t>(bits >> 31) >> 1);
  return same == same ? key : INT32_MIN;
}

/** The float of a key; the one of a NaN is a NaN. */
static inline float floatOf(int32_t key) {
  int32_t bits = key == INT32_MIN ? 0x7fc00000 : key ^ static_cast<int32_t>(static_cast<uint32_t>(key >> 31) >> 1);
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

/** How many keys are at least `cut`. */
static inline size_t countFrom(const int32_t* keys, size_t n, int32_t cut) {
  int32_t count = 0;
  for (size_t i = 0; i < n; i++) count += keys[i] >= cut;
  return static_cast<size_t>(count);
}

/**
 * A cut from `low` on that at least k of the n keys reach, as `low` must be: exactly k, or else it is the k-th largest key and
 * some that equal it are too many. 1 ≤ k ≤ n < 2^31.
 */
static inline int32_t cutFor(const int32_t* keys, size_t n, size_t k, int32_t low) {
  int32_t top = low;
  for (size_t i = 0; i < n; i++) top = most(top, keys[i]);
  int64_t from = low, to = static_cast<int64_t>(top) + 1;
  while (to - from > 1) {
    int64_t middle = from + (to - from) / 2;
    size_t count = countFrom(keys, n, static_cast<int32_t>(middle));
    if (count == k) return static_cast<int32_t>(middle);
    (count > k ? from : to) = middle;
  }
  return static_cast<int32_t>(from);
}

/** Appends the keys from `cut` on, with `first` plus their places, in order. @returns how many; the lists have room for them. */
static inline size_t takeFrom(const int32_t* keys, size_t n, int32_t cut, int32_t first, int32_t* outKeys, int32_t* outPlaces) {
  size_t taken = 0, i = 0;
#if SAX_VECTOR_BYTES == 64 && defined(__x86_64__)
  __m512i place = _mm512_add_epi32(_mm512_set1_epi32(first), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  for (; i + 16 <= n; i += 16, place = _mm512_add_epi32(place, _mm512_set1_epi32(16))) {
    __m512i v = _mm512_loadu_si512(keys + i);
    __mmask16 in = _mm512_cmpge_epi32_mask(v, _mm512_set1_epi32(cut));
    if (in == 0) continue;
    // Compressing straight to memory is microcode on some CPUs, a hundred times slower.
    unsigned count = static_cast<unsigned>(__builtin_popcount(in));
    __mmask16 front = static_cast<__mmask16>((1u << count) - 1);
    _mm512_mask_storeu_epi32(outKeys + taken, front, _mm512_maskz_compress_epi32(in, v));
    _mm512_mask_storeu_epi32(outPlaces + taken, front, _mm512_maskz_compress_epi32(in, place));
    taken += count;
  }
#endif
  for (; i < n; i++) {
    if (keys[i] < cut) continue;
    outKeys[taken] = keys[i];
    outPlaces[taken++] = first + static_cast<int32_t>(i);
  }
  return taken;
}

/** takeBest by bisection over all n keys; `low` as in {@link cutFor}, the place of key i is places[i], or first + i without. */
static inline void takeCut(const int32_t* keys, size_t n, size_t k, int32_t low, const int32_t* places, int32_t first,
                           int32_t* outKeys, int32_t* outPlaces) {
  int32_t cut = cutFor(keys, n, k, low);
  if (!places && countFrom(keys, n, cut) == k) {
    takeFrom(keys, n, cut, first, outKeys, outPlaces);
    return;
  }
  size_t equal = k - (cut == INT32_MAX ? 0 : countFrom(keys, n, cut + 1)), taken = 0;
  for (size_t i = 0; taken < k; i++) {
    if (keys[i] < cut || (keys[i] == cut && equal == 0)) continue;
    equal -= keys[i] == cut;
    outKeys[taken] = keys[i];
    outPlaces[taken++] = places ? places[i] : first + static_cast<int32_t>(i);
  }
}

/** The k best of n keys, 1 ≤ k ≤ n, in their order; of equal ones the first. The lists take k. `first`: the place of keys[0]. */
static inline void takeBest(const int32_t* keys, size_t n, size_t k, int32_t first, int32_t* outKeys, int32_t* outPlaces) {
  // The largest of each of 64 parts: the k-th of them is a bound that few more than k keys reach.
  constexpr size_t kParts = 64, kNear = 512;
  int32_t low = INT32_MIN;
  if (k <= kParts && n >= 4 * kParts) {
    int32_t part[kParts];
    for (size_t l = 0; l < kParts; l++) part[l] = keys[l];
    for (size_t i = kParts; i + kParts <= n; i += kParts)
      for (size_t l = 0; l < kParts; l++) part[l] = most(part[l], keys[i + l]);
    low = cutFor(part, kParts, k, INT32_MIN);
    int32_t near[2 * kNear];
    size_t count = countFrom(keys, n, low);
    if (count <= kNear) {
      takeFrom(keys, n, low, first, near, near + kNear);
      return takeCut(near, count, k, low, near + kNear, 0, outKeys, outPlaces);
    }
  }
  takeCut(keys, n, k, low, nullptr, first, outKeys, outPlaces);
}

/** Up to this many the rank of each is counted; more are sorted by a heap. */
constexpr size_t kCounted = 192;

/** Whether key a at place i comes after key b at place j. */
static inline bool after(int32_t a, int32_t i, int32_t b, int32_t j) { return a < b || (a == b && i > j); }

/** Heap sort of keys with their places, best first. */
static inline void heapSort(int32_t* keys, int32_t* places, size_t n) {
  auto sinkKey = [&](size_t size, size_t at) {
    int32_t key = keys[at], place = places[at];
    for (size_t child; (child = 2 * at + 1) < size; at = child) {
      if (child + 1 < size && after(keys[child + 1], places[child + 1], keys[child], places[child])) child++;
      if (!after(keys[child], places[child], key, place)) break;
      keys[at] = keys[child], places[at] = places[child];
    }
    keys[at] = key, places[at] = place;
  };
  for (size_t i = n / 2; i-- > 0;) sinkKey(n, i);
  for (size_t left = n; left-- > 1;) {
    int32_t key = keys[0], place = places[0];
    keys[0] = keys[left], places[0] = places[left];
    keys[left] = key, places[left] = place;
    sinkKey(left, 0);
  }
}

/** Writes k keys with their places, which ascend, as floats in descending order, of equal ones the lower place first. */
static inline void writeSorted(int32_t* keys, int32_t* places, size_t k, float* values, int32_t* indices) {
  if (k > kCounted) {
    heapSort(keys, places, k);
    for (size_t i = 0; i < k; i++) values[i] = floatOf(keys[i]), indices[i] = places[i];
    return;
  }
  for (size_t i = 0; i < k; i++) {
    int32_t above = 0, equal = 0;
    for (size_t j = 0; j < k; j++) above += keys[j] > keys[i], equal += keys[j] == keys[i];
    if (equal > 1)
      for (size_t j = 0; j < i; j++) above += keys[j] == keys[i];
    values[above] = floatOf(keys[i]);
    indices[above] = places[i];
  }
}

SAX_END
