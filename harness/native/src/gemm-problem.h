/** @file A matrix product as JavaScript asks for it, batched, with a fused bias and activation: what products in float32 and in bfloat16 share. */
#pragma once
#include "gemm-tile.h"
#include "math.h"

SAX_BEGIN

enum Activation { Linear, Relu, Relu6, Elu, Sigmoid, LeakyRelu };

/** One product: c [m, n] = activation(a · b + bias). */
struct Problem {
  size_t m, n, k;
  View a, b;  // a: (i, k); b: (j, k)
  float* c;
  const float* bias;  // [n] or null
  Activation activation;
  float alpha;
};

/** Bias and activation over `rows` rows of sums, `step` apart, for columns [j0, j1) of C. */
static inline void finishRows(const Problem& g, float* sums, size_t step, size_t rows, size_t j0, size_t j1) {
  if (!g.bias && g.activation == Linear) return;
  auto each = [&](auto f) {
    for (size_t i = 0; i < rows; i++) {
      float* row = sums + i * step;
      if (g.bias)
        for (size_t j = 0; j < j1 - j0; j++) row[j] = f(row[j] + g.bias[j0 + j]);
      else
        for (size_t j = 0; j < j1 - j0; j++) row[j] = f(row[j]);
    }
  };
  float alpha = g.alpha;
  switch (g.activation) {
    case Linear: return each([](float x) { return x; });
    case Relu: return each([](float x) { return x <= 0.0f ? 0.0f : x; });
    case Relu6: return each([](float x) { return x <= 0.0f ? 0.0f : x > 6.0f ? 6.0f : x; });
    case Elu: return each([](float x) { return x >= 0.0f ? x : expm1Of(x); });
    case Sigmoid: return each([](float x) { return sigmoidOf(x); });
    case LeakyRelu: return each([alpha](float x) { return x < 0.0f ? alpha * x : x; });
  }
}

/** The products of one call, as many as `count`. */
struct Batch {
  size_t count;
  Problem first;
  size_t stepA, stepB;  // from the operands of one to those of the next

  Problem at(size_t i) const {
    Problem g = first;
    g.a.p += i * stepA;
    g.b.p += i * stepB;
    g.c += i * g.m * g.n;
    return g;
  }
};

/**
 * out[batch, m, n] = activation(a · b + bias). Buffers: out, a, b, bias (length 0 for none). Params: batch, m, n, k,
 * transposeA, transposeB, activation, alpha, mode (1: a and b both advance with the batch, 2: only a, 3: only b).
 * None, with the error recorded, where the arrays do not hold them.
 */
static inline Batch batchOf(Call& c) {
  size_t batch = sizeParam(c, 0), m = sizeParam(c, 1), n = sizeParam(c, 2), k = sizeParam(c, 3);
  int mode = static_cast<int>(c.p[8]);
  bool advanceA = mode != 3, advanceB = mode != 2;
  if (!holds(c, 0, F32, times(batch, m, n)) || !holds(c, 1, F32, times(advanceA ? batch : 1, m, k)) ||
      !holds(c, 2, F32, times(advanceB ? batch : 1, n, k)) || !holds(c, 3, F32, 0))
    return {};
  const float* bias = c.buf[3].length > 0 ? f32(c, 3) : nullptr;
  if (bias && !holds(c, 3, F32, n)) return {};
  View a = c.p[4] != 0 ? View{f32(c, 1), 1, m} : View{f32(c, 1), k, 1};
  View b = c.p[5] != 0 ? View{f32(c, 2), k, 1} : View{f32(c, 2), 1, n};
  Problem first{m, n, k, a, b, f32(c, 0), bias, static_cast<Activation>(c.p[6]), static_cast<float>(c.p[7])};
  return {batch, first, advanceA ? m * k : 0, advanceB ? n * k : 0};
}

SAX_END
