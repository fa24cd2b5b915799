/**
 * @file Weights [in, out] of linear layers as products read them, in float32 or in 16 bits: strips of kTileCols columns, each
 * along the whole of `in`. Two 16-bit numbers, of columns c and c + kLanes of a strip, lie in one word, so that a row of a
 * strip is one register and widens into two.
 */
#pragma once
#include "gemm-tile.h"

SAX_BEGIN

static_assert(kTileVectors == 2, "a word holds the two columns that lie a register apart");

constexpr size_t kPackedCols = 32;  // the room of a packed weight is of whole such columns, for any instruction set
static_assert(kPackedCols % kTileCols == 0);

/** Two bfloat16, the first in the lower half. */
struct Bfloats {
  uint32_t bits;
};
/** Two IEEE binary16, the first in the lower half. All finite. */
struct Halves {
  uint32_t bits;
};

typedef uint32_t vw __attribute__((vector_size(SAX_VECTOR_BYTES), may_alias));
typedef uint32_t vwu __attribute__((vector_size(SAX_VECTOR_BYTES), aligned(4), may_alias));

/** Elements of a strip's row in memory. */
template <class E>
constexpr size_t kRow = kLanes;
template <>
constexpr size_t kRow<float> = kTileCols;

/** Elements of a packed weight. */
template <class E>
static inline size_t packedSize(size_t in, size_t out) {
  return times(ceilDiv(out, kPackedCols) * (kPackedCols / kTileCols), kRow<E>, in);
}

/** Of the exponent and digits, moved to where float32 has them: 2^112 times less than the number, exactly. */
constexpr float kHalfScale = 0x1p112f;

template <size_t VECTORS>
static inline void loadRow(const Bfloats* b, vf* row) {
  vw x = *reinterpret_cast<const vwu*>(b);
  row[0] = reinterpret_cast<vf>(x << 16);
  row[1] = reinterpret_cast<vf>(x & 0xffff0000u);
}

template <size_t VECTORS>
static inline void loadRow(const Halves* b, vf* row) {
  vw x = *reinterpret_cast<const vwu*>(b);
  auto widened = [](vw digits, vw sign) {
    return reinterpret_cast<vf>(reinterpret_cast<vw>(reinterpret_cast<vf>(digits) * kHalfScale) | sign);
  };
  row[0] = widened((x & 0x7fffu) << 13, (x & 0x8000u) << 16);
  row[1] = widened((x & 0x7fff0000u) >> 3, x & 0x80000000u);
}

SAX_END
