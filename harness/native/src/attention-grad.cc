/**
 * @file Gradient of softmax attention. Probabilities are computed again from the saved logarithms of the sums instead of
 * being kept; one task for each row of the batch and group of heads, so that no two write to the same gradient.
 */
#include "attention.h"

SAX_BEGIN

namespace {

struct Gradients {
  const float *dy, *mixed, *sums;
  float *dq, *dk, *dv;
};

/** What one task works in. */
struct Workspace {
  Strips keysT, valuesT, keys, queries, upstream;
  float *p, *ds;
};

Workspace workspaceFor(const Attention& a) {
  size_t padded = a.padded(), block = a.blockRows();
  size_t across = Strips::size(a.columns, a.width), along = Strips::size(a.width, a.columns);
  size_t few = Strips::size(a.width, block);
  float* at = static_cast<float*>(scratch(1, (2 * across + along + 2 * few + 2 * block * padded) * sizeof(float)));
  auto take = [&](size_t floats) {
    float* start = at;
    at += floats;
    return start;
  };
  Workspace w;
  w.keysT = {take(across), a.columns, a.width};
  w.valuesT = {take(across), a.columns, a.width};
  w.keys = {take(along), a.width, a.columns};
  w.queries = {take(few), a.width, block};
  w.upstream = {take(few), a.width, block};
  w.p = take(block * padded);
  w.ds = take(block * padded);
  return w;
}

/** p = exp(scale · s - sum) and ds = p · (ds - product) · scale over `end` columns; s comes in p, dp in ds. */
inline void probabilities(float* __restrict p, float* __restrict ds, size_t end, float scale, float sum, float product) {
  for (size_t j = 0; j < end; j++) p[j] = expOf(p[j] * scale - sum);
  for (size_t j = 0; j < end; j++) ds[j] = p[j] * (ds[j] - product) * scale;
}

void blockGrad(const Attention& a, const Gradients& g, Workspace& w, size_t row, size_t h, size_t i0, size_t rows) {
  size_t padded = a.padded(), step = a.queryStep(), group = h / a.group();
  size_t start = row * a.t * step + h * a.width, at = start + i0 * step;
  size_t keyAt = row * a.capacity * a.keyStep() + group * a.width;
  const uint8_t* seen = a.seen ? a.seen + row * a.columns : nullptr;
  size_t reach = a.limit(i0 + rows - 1), end = ceilDiv(reach, kLanes) * kLanes;
  scoresOf(a, a.q + start, i0, rows, w.keysT, w.p);
  scoresOf(a, g.dy + start, i0, rows, w.valuesT, w.ds);
  for (size_t i = 0; i < rows; i++) {
    hideUnseen(a, i0 + i, w.p + i * padded, end, seen);
    float dot = headDot(g.dy + at + i * step, g.mixed + at + i * step, a.width);
    probabilities(w.p + i * padded, w.ds + i * padded, end, a.scale, g.sums[(row * a.heads + h) * a.t + i0 + i], dot);
  }
  w.queries.depth = w.upstream.depth = rows;
  packStrips(w.queries, a.q + at, 1, step);
  packStrips(w.upstream, g.dy + at, 1, step);
  timesStrips(w.ds, padded, rows, w.keys, a.width, reach, g.dq + at, step);
  addTransposedTimesStrips(w.ds, padded, reach, w.queries, g.dk + keyAt, a.keyStep());
  addTransposedTimesStrips(w.p, padded, reach, w.upstream, g.dv + keyAt, a.keyStep());
}

void groupGrad(const Attention& a, const Gradients& g, size_t row, size_t group) {
  Workspace w = workspaceFor(a);
  size_t step = a.keyStep(), first = row * a.capacity * step + group * a.width;
  packStrips(w.keysT, a.k + first, step, 1);
  packStrips(w.valuesT, a.v + first, step, 1);
  packStrips(w.keys, a.k + first, 1, step);
  for (size_t j = 0; j < a.capacity; j++)
    for (size_t d = 0; d < a.width; d++) g.dk[first + j * step + d] = g.dv[first + j * step + d] = 0.0f;
  size_t block = a.blockRows();
  for (size_t h = group * a.group(); h < (group + 1) * a.group(); h++)
    for (size_t i0 = 0; i0 < a.t; i0 += block) blockGrad(a, g, w, row, h, i0, least(block, a.t - i0));
}

}  // namespace

/**
 * Buffers: dq, dk, dv (shaped as q, k, v), dy and mixed [n·t, heads·width], sums [n, heads, t], q, k, v, seen (uint8, length
 * 0 for none). Params: see `readAttention`.
 */
void attentionGrad(Call& c) {
  Attention a;
  if (!readAttention(c, a)) return;
  size_t queries = a.n * a.t * a.heads, keys = a.n * a.capacity * a.keyStep();
  const size_t lengths[9] = {queries * a.width, keys, keys, queries * a.width, queries * a.width, queries, queries * a.width,
                             keys, keys};
  for (int i = 0; i < 9; i++)
    if (!holds(c, i, F32, lengths[i])) return;
  bool masked = c.buf[9].length > 0;
  if (!holds(c, 9, U8, masked ? a.n * a.columns : 0)) return;
  Gradients g{f32(c, 3), f32(c, 4), f32(c, 5), f32(c, 0), f32(c, 1), f32(c, 2)};
  a.q = f32(c, 6);
  a.k = f32(c, 7);
  a.v = f32(c, 8);
  a.seen = masked ? u8(c, 9) : nullptr;
  if (a.columns == 0) {
    for (size_t i = 0; i < queries * a.width; i++) g.dq[i] = 0.0f;
    for (size_t i = 0; i < keys; i++) g.dk[i] = g.dv[i] = 0.0f;
    return;
  }
  forTasks(a.n * a.kvHeads, [&](size_t i) { groupGrad(a, g, i / a.kvHeads, i % a.kvHeads); });
}

SAX_END
