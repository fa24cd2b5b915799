/** @file Matrix products in mixed precision: see bfloat-product.h. */
#include "bfloat-product.h"

SAX_BEGIN

/** As `batchOf` has it, and after that `BfloatProducts`: the best that there is, never the model unless it is asked for. */
void bfloatMatMul(Call& c) {
  Batch all = batchOf(c);
  if (all.count == 0 || all.first.m == 0 || all.first.n == 0) return;
  if (all.first.k == 0) {
    c.error = "native bfloat product: nothing to sum";
    return;
  }
  servedBy(c, c.p[9], [&](auto products, auto blocks) {
    using P = decltype(products);
    using Blocks = decltype(blocks);
    for (size_t i = 0; i < all.count; i++) {
      Problem g = all.at(i);
      productOf<P, Blocks>(g, [&](size_t j, size_t j1, uint32_t* out) {
        packColumns<Blocks>(g.b, j, j1, g.k, P::pairsOf(g.k), out);
      });
    }
  });
}

SAX_END
