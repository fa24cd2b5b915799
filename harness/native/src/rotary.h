/** @file Rotary positions of one row. */
#pragma once
#include "isa.h"

SAX_BEGIN

/** Turns the pairs (i, i + half) of every head of a row by its angles; `direction` -1 turns back. y is not x. */
static inline void turnRow(const float* __restrict x, const float* cosines, const float* sines, size_t heads, size_t half,
                           float direction, float* __restrict y) {
  for (size_t h = 0; h < heads; h++, x += 2 * half, y += 2 * half) {
    for (size_t i = 0; i < half; i++) {
      float turned = direction * sines[i], first = x[i], second = x[half + i];
      y[i] = first * cosines[i] - second * turned;
      y[half + i] = second * cosines[i] + first * turned;
    }
  }
}

SAX_END
