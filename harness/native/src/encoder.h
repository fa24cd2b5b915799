/** @file What the encode-and-select kernels share: the problem, and the screening in bfloat16 that may solve most of it. */
#pragma once
#include "gemm-tile.h"

SAX_BEGIN

/** The k largest entries of each row of x · W + bias. */
struct Encoder {
  size_t n, d, features, k;
  const float *x, *W, *bias;  // [n, d], [d, features], [features]
  float* values;              // [n, k]
  int32_t* indices;           // [n, k]
};

/** Whether this CPU and this problem are ones that screening is for; `always` asks only whether it can. */
bool canScreen(const Encoder& e, bool always);

/**
 * Fills in the rows that screening in bfloat16 settles, with the bits of the float32 kernel, and sets `undone[i]` to 1 for
 * those that it leaves. Gives up, leaving every row, when that would be most of them.
 * @returns the number of rows left.
 */
size_t screenTopK(const Encoder& e, uint8_t* undone);

SAX_END
