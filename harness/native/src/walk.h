/** @file Elementwise loops over broadcast operands: dimensions already merged, one stride per dimension and operand. */
#pragma once
#include "isa.h"

SAX_BEGIN

constexpr size_t kMaxRank = 16;
/** Beyond every array, and exact as a double. */
constexpr double kMostElements = 9007199254740992.0;

/** Output dimensions and, for each of N operands, its strides (0 where it is broadcast). */
template <size_t N>
struct Walk {
  size_t rank;
  size_t dims[kMaxRank];
  ptrdiff_t strides[N][kMaxRank];

  /** Reads rank, dims, then the N rows of strides from params starting at `at`; false when the rank is out of bounds. */
  bool read(Call& c, int at) {
    rank = sizeParam(c, at++);
    if (rank > kMaxRank) {
      c.error = "native kernel: too many dimensions";
      return false;
    }
    // Merged dimensions may be longer than those of a tensor.
    for (size_t d = 0; d < rank; d++, at++) {
      if (!(c.p[at] >= 0 && c.p[at] <= kMostElements)) return outOfRange(c);
      dims[d] = static_cast<size_t>(c.p[at]);
    }
    for (size_t n = 0; n < N; n++)
      for (size_t d = 0; d < rank; d++, at++) {
        if (!(c.p[at] >= -kMostElements && c.p[at] <= kMostElements)) return outOfRange(c);
        strides[n][d] = static_cast<ptrdiff_t>(c.p[at]);
      }
    if (rank == 0) {
      rank = 1;
      dims[0] = 1;
      for (size_t n = 0; n < N; n++) strides[n][0] = 0;
    }
    return true;
  }

  static bool outOfRange(Call& c) {
    c.error = "native kernel: a dimension or stride is missing or out of range";
    return false;
  }

  size_t size() const {
    size_t total = 1;
    for (size_t d = 0; d < rank; d++)
      if (dims[d] == 0) return 0;
    for (size_t d = 0; d < rank; d++) total = times(total, dims[d]);
    return total;
  }

  /** One past the largest element that operand n touches. */
  size_t extent(size_t n) const {
    size_t last = 0;
    for (size_t d = 0; d < rank; d++) {
      if (dims[d] == 0) return 0;
      if (__builtin_add_overflow(last, times(dims[d] - 1, static_cast<size_t>(strides[n][d])), &last)) return SIZE_MAX;
    }
    return last == SIZE_MAX ? last : last + 1;
  }

  /** f(out, offsets, count): `count` elements along the last dimension, out at the dense output index. On the pool. */
  template <class F>
  void run(size_t grain, const F& f) const {
    size_t inner = dims[rank - 1], outer = 1;
    for (size_t d = 0; d + 1 < rank; d++) outer *= dims[d];
    if (inner == 0 || outer == 0) return;
    size_t pieces = inner > 2 * grain ? ceilDiv(inner, grain) : 1;
    size_t piece = ceilDiv(inner, pieces);
    size_t rows = most<size_t>(1, grain / piece);
    forRange(outer * pieces, rows, [&](size_t begin, size_t end) {
      size_t index[kMaxRank] = {};
      ptrdiff_t at[N] = {};
      size_t rest = begin / pieces;
      for (size_t d = rank - 1; d-- > 0;) {
        index[d] = rest % dims[d];
        rest /= dims[d];
        for (size_t n = 0; n < N; n++) at[n] += static_cast<ptrdiff_t>(index[d]) * strides[n][d];
      }
      for (size_t t = begin; t < end; t++) {
        size_t from = t % pieces * piece, to = least(inner, from + piece);
        if (from < to) {
          ptrdiff_t offsets[N];
          for (size_t n = 0; n < N; n++) offsets[n] = at[n] + static_cast<ptrdiff_t>(from) * strides[n][rank - 1];
          f(t / pieces * inner + from, offsets, to - from);
        }
        if (t % pieces + 1 < pieces) continue;
        for (size_t d = rank - 1; d-- > 0;) {
          for (size_t n = 0; n < N; n++) at[n] += strides[n][d];
          if (++index[d] < dims[d]) break;
          for (size_t n = 0; n < N; n++) at[n] -= static_cast<ptrdiff_t>(dims[d]) * strides[n][d];
          index[d] = 0;
        }
      }
    });
  }
};

SAX_END
