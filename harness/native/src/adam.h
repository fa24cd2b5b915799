/** @file One Adam or AdamW step of some elements: what the kernels that move parameters share. */
#pragma once
#include "isa.h"

SAX_BEGIN

/** The rates of a step, and where a parameter and its moments lie; the new ones may take the place of the old ones. */
struct AdamStep {
  float *newP, *newM, *newV;
  const float *p, *m, *v;
  float rate, b1, b2, a1, a2, epsilon, keep, root;

  /** From buffers 0 to 5 (new p, m, v, old ones) and params 0 to 6: lr, β1, β2, ε, decay, correction1, correction2. */
  explicit AdamStep(Call& c);

  /** Elements [at, at + n) with the gradient factor · (g − along · p), g from its first element on. */
  void run(size_t at, size_t n, const float* g, float factor, float along) const;

  /** The same elements as a row that stays at unit length: g loses its component along the row; a zero row stays zero. */
  void runUnit(size_t at, size_t n, const float* g, float factor) const;
};

SAX_END
