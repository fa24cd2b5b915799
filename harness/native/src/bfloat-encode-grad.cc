/**
 * @file The gradients of a dense encoder, in mixed precision: of the product xᵀ · dz only those numbers of dy count as dz that pass the
 * activation, and they are picked while dy is rounded, so that dz is never written down.
 */
#include "bfloat-product.h"

SAX_BEGIN

/**
 * dW = xᵀ · dz with dz = dy where seen > floor and else 0; dbias = the sums of dz's columns; near = those of dy where
 * |seen − floor| < half. Buffers: dW [d, features], dbias [features], near [features] or empty, x [n, d], dy and seen [n, features],
 * floors [features]. Params: n, d, features, half, `BfloatProducts` as for bfloatMatMul. Both operands of dW are rounded, of the sums none.
 */
void bfloatEncodeGrad(Call& c) {
  size_t n = sizeParam(c, 0), d = sizeParam(c, 1), features = sizeParam(c, 2);
  bool nears = c.buf[2].length > 0;
  if (!holds(c, 0, F32, times(d, features)) || !holds(c, 1, F32, features) || !holds(c, 2, F32, nears ? features : 0) ||
      !holds(c, 3, F32, times(n, d)) || !holds(c, 4, F32, times(n, features)) || !holds(c, 5, F32, times(n, features)) ||
      !holds(c, 6, F32, features))
    return;
  if (n == 0 || d == 0 || features == 0) {
    c.error = "native bfloat product: nothing to sum";
    return;
  }
  Problem g{d, features, n, View{f32(c, 3), 1, d}, View{f32(c, 4), 1, features}, f32(c, 0), nullptr, Linear, 0};
  size_t sums = nears ? 2 * features : features;
  double* passed = static_cast<double*>(scratch(2, sums * sizeof(double)));
  for (size_t j = 0; j < sums; j++) passed[j] = 0;
  Gate gate{f32(c, 5), f32(c, 6), static_cast<float>(c.p[3]), passed, nears ? passed + features : nullptr};
  servedBy(c, c.p[4], [&](auto products, auto blocks) {
    using P = decltype(products);
    using Blocks = decltype(blocks);
    productOf<P, Blocks>(g, [&](size_t j, size_t j1, uint32_t* out) {
      packColumnsBy(g.b, j, j1, n, P::pairsOf(n), out,
                    [&](const BlockAt& at, uint32_t (*words)[16]) { Blocks::loadPassing(at, gate, words); });
    });
  });
  for (size_t j = 0; j < features; j++) {
    f32(c, 1)[j] = static_cast<float>(passed[j]);
    if (nears) f32(c, 2)[j] = static_cast<float>(gate.within[j]);
  }
}

SAX_END
