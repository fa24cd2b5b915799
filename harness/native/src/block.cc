/**
 * @file A whole pre-norm transformer block, forward only: y = r + mlp(norm(r)) with r = x + attention(norm(x)). Sequences do
 * not meet in a block, so one task carries some of them from its beginning to its end, in its own core's cache, and the
 * threads meet once a block. Sums run in one order whatever the number of sequences or threads.
 */
#include "activation.h"
#include "attention.h"
#include "norm.h"
#include "packed.h"
#include "rotary.h"

SAX_BEGIN

namespace {

constexpr size_t kTaskRows = 96;  // rows that a task carries, if its sequences are no longer

/** A linear layer [in, out]: strips as `packLinear` lays them out, and a bias or null. */
struct Linear {
  const float *packed, *bias;
  size_t in, out;
};

/** Gain and bias (or null) of a norm. */
struct Norm {
  const float *gain, *bias;
};

/** The parameters of a block, one after another in one array. */
struct Reader {
  const float* at;
  const float* take(size_t count) {
    const float* here = at;
    at += count;
    return here;
  }
  Norm norm(size_t d, bool centred) {
    const float* gain = take(d);
    return {gain, centred ? take(d) : nullptr};
  }
  Linear linear(size_t in, size_t out, bool bias) {
    const float* packed = take(packedSize<float>(in, out));
    return {packed, bias ? take(out) : nullptr, in, out};
  }
};

struct Block {
  Attention shape;  // n, t, columns, capacity, heads, kvHeads, width, scale, causal, seen; and k, v of a cache or null
  size_t d, mlp, positions;
  bool centred, gated, first;
  double epsilon;
  int function;
  Norm attentionNorm, mlpNorm;
  Linear q, k, v, out, gate, up, down;
  const float *x, *cosines, *sines;
  float *y, *cacheK, *cacheV;

  /** Rows of one sequence in the output. */
  size_t asking() const { return first ? 1 : shape.t; }
};

/** c [rows, out] = a · W + bias, a's rows `lda` apart. */
void apply(const Linear& w, const float* a, size_t lda, size_t rows, float* c) {
  size_t strips = ceilDiv(w.out, kTileCols);
  for (size_t k = 0; k < w.in; k += kDepth) {
    size_t now = least(kDepth, w.in - k);
    const float* b = w.packed + k * strips * kTileCols;
    for (size_t s = 0; s < strips; s++, b += kTileCols * now) {
      size_t j = s * kTileCols, cols = least(kTileCols, w.out - j), size = kTileCols * now;
      // The weights of all blocks are more than what is near: each tile brings its share of the next strip.
      size_t share = ceilDiv(size * kTileRows, rows), next = s + 1 < strips ? size : 0;
      for (size_t i = 0; i < rows; i += kTileRows) {
        size_t from = least(next, i / kTileRows * share);
        bring(b + size + from, least(share, next - from));
        tileRows<true>(least(kTileRows, rows - i), now, a + i * lda + k, lda, b, kTileCols, c + i * w.out + j, w.out, cols,
                       k > 0);
      }
    }
  }
  if (!w.bias) return;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < w.out; j++) c[i * w.out + j] += w.bias[j];
}

void normRows(const Block& b, const Norm& norm, const float* x, size_t rows, float* y) {
  for (size_t i = 0; i < rows; i++) normRow(x + i * b.d, b.d, norm.gain, norm.bias, b.epsilon, b.centred, y + i * b.d);
}

/** Rows of queries or keys, of which the first is row `row` of all, turned by their positions; from → to [rows, heads·width]. */
void turnRows(const Block& b, const float* from, size_t row, size_t rows, size_t heads, float* to) {
  size_t half = b.shape.width / 2, step = heads * b.shape.width;
  for (size_t i = 0; i < rows; i++) {
    size_t p = (row + i) % b.positions * half;
    turnRow(from + i * step, b.cosines + p, b.sines + p, heads, half, 1.0f, to + i * step);
  }
}

/** y = x + mlp(norm(x)), in place, for `rows` rows. */
void feedForward(Call& c, const Block& b, float* y, size_t rows, float* normed, float* hidden, float* more) {
  normRows(b, b.mlpNorm, y, rows, normed);
  apply(b.up, normed, b.d, rows, b.gated ? more : hidden);
  if (b.gated) apply(b.gate, normed, b.d, rows, hidden);
  size_t count = rows * b.mlp;
  withFunction(c, b.function, [=](auto f) {
    if (b.gated)
      for (size_t i = 0; i < count; i++) hidden[i] = f(hidden[i]).y * more[i];
    else
      for (size_t i = 0; i < count; i++) hidden[i] = f(hidden[i]).y;
  });
  apply(b.down, hidden, b.mlp, rows, normed);
  for (size_t i = 0; i < rows * b.d; i++) y[i] += normed[i];
}

/** Sequences [begin, end). */
void runSequences(Call& c, const Block& b, size_t begin, size_t end) {
  const Attention& shape = b.shape;
  size_t n = end - begin, t = shape.t, rows = n * t, asking = n * b.asking(), row = begin * t, d = b.d;
  size_t queryStep = shape.queryStep(), keyStep = shape.keyStep();
  size_t wide = most(queryStep, keyStep), tall = most(rows, asking), chunk = least(rows, kTaskRows);
  float* at = static_cast<float*>(
      scratch(5, (tall * d + 2 * rows * keyStep + rows * wide + 2 * asking * queryStep + asking * shape.heads +
                  chunk * (d + 2 * b.mlp)) *
                     sizeof(float)));
  auto take = [&](size_t count) {
    float* here = at;
    at += count;
    return here;
  };
  float *a = take(tall * d), *keys = take(rows * keyStep), *values = take(rows * keyStep), *turning = take(rows * wide);
  float *queries = take(asking * queryStep), *mixed = take(asking * queryStep), *sums = take(asking * shape.heads);
  float *normed = take(chunk * d), *hidden = take(chunk * b.mlp), *more = take(chunk * b.mlp);

  const float* x = b.x + row * d;
  normRows(b, b.attentionNorm, x, rows, a);
  bool rotary = b.positions > 0;
  apply(b.k, a, d, rows, rotary ? turning : keys);
  if (rotary) turnRows(b, turning, row, rows, shape.kvHeads, keys);
  apply(b.v, a, d, rows, values);
  // Other columns matter to the first one by their keys and values alone.
  size_t stride = b.first ? t * d : d;
  apply(b.q, a, stride, asking, rotary ? turning : queries);
  if (rotary) turnRows(b, turning, row, asking, shape.heads, queries);

  Attention own = shape;
  own.n = n;
  own.t = b.asking();
  own.q = queries;
  own.k = keys;
  own.v = values;
  own.seen = shape.seen ? shape.seen + begin * shape.columns : nullptr;
  if (b.cacheK) {
    for (size_t i = 0; i < n; i++) {
      size_t place = ((begin + i) * shape.capacity + shape.columns - t) * keyStep, bytes = t * keyStep * sizeof(float);
      __builtin_memcpy(b.cacheK + place, keys + i * t * keyStep, bytes);
      __builtin_memcpy(b.cacheV + place, values + i * t * keyStep, bytes);
    }
    own.k = b.cacheK + begin * shape.capacity * keyStep;
    own.v = b.cacheV + begin * shape.capacity * keyStep;
  }
  attendGroups(own, 0, n * shape.kvHeads, mixed, sums);

  float* y = b.y + begin * b.asking() * d;
  apply(b.out, mixed, queryStep, asking, a);
  for (size_t i = 0; i < asking; i++)
    for (size_t j = 0; j < d; j++) y[i * d + j] = x[i * stride + j] + a[i * d + j];
  for (size_t i = 0; i < asking; i += chunk)
    feedForward(c, b, y + i * d, least(chunk, asking - i), normed, hidden, more);
}

}  // namespace

/**
 * A weight [in, out] in the form in which `block` reads it: for every kDepth rows, strips of kTileCols columns. Buffers:
 * packed [in · out, out rounded up to a multiple of 32], weight. Params: in, out.
 */
void packLinear(Call& c) {
  size_t in = sizeParam(c, 0), out = sizeParam(c, 1);
  if (!holds(c, 0, F32, packedSize<float>(in, out)) || !holds(c, 1, F32, in * out)) return;
  float* to = f32(c, 0);
  for (size_t k = 0; k < in; k += kDepth) {
    size_t now = least(kDepth, in - k);
    for (size_t j = 0; j < out; j += kTileCols, to += kTileCols * now)
      packStrip<kTileCols>(to, f32(c, 1) + k * out + j, 1, out, least(kTileCols, out - j), now);
  }
}

/**
 * Buffers: y [n·t, d] (or [n, d] when only first columns are asked for), x [n·t, d], weights, cos and sin [positions, width/2],
 * seen (uint8 [n, columns] or empty), keys and values of a cache [n·capacity, kvHeads·width] (or empty): the t new columns are
 * written before `columns`. Weights: gain and, if centred, bias of the norm; q, k, v, out, each packed and, if it has one, with
 * its bias; the same of the second norm; gate if gated, up, down. Row r has position r mod positions (0: no rotary).
 *
 * Params: 0 … 9 as `readAttention`; then d, mlp, centred, epsilon, function, gated, attention bias, mlp bias, first, positions.
 */
void block(Call& c) {
  Block b;
  Attention& s = b.shape;
  if (!readAttention(c, s)) return;
  b.d = sizeParam(c, 10);
  b.mlp = sizeParam(c, 11);
  b.centred = c.p[12] != 0;
  b.epsilon = c.p[13];
  b.function = static_cast<int>(c.p[14]);
  b.gated = c.p[15] != 0;
  bool attentionBias = c.p[16] != 0, mlpBias = c.p[17] != 0;
  b.first = c.p[18] != 0;
  b.positions = sizeParam(c, 19);
  bool cached = c.buf[6].length > 0;
  size_t rows = s.n * s.t, outputs = s.n * b.asking(), keys = cached ? s.n * s.capacity * s.keyStep() : 0;
  size_t across = most(most(s.queryStep(), s.keyStep()), b.mlp) + kTileCols;
  if (c.error || times(most(s.n, size_t{1}), most(s.t, size_t{1}), b.d) >= (size_t{1} << 60) || times(across, b.d + kTileCols) >= (size_t{1} << 56) ||
      s.t > s.columns || (!cached && (s.columns != s.t || s.capacity != s.t)) || (b.first && (cached || b.positions > 0)) ||
      b.function < 0 || b.function > 3 || (b.positions > 0 && s.width % 2 != 0)) {
    if (!c.error) c.error = "native block: the sizes contradict one another";
    return;
  }
  size_t angles = b.positions * (s.width / 2), norms = 2 * (b.centred ? 2 : 1) * b.d;
  auto linear = [](size_t in, size_t out, bool bias) { return packedSize<float>(in, out) + (bias ? out : 0); };
  size_t weights = norms + linear(b.d, s.queryStep(), attentionBias) + 2 * linear(b.d, s.keyStep(), attentionBias) +
                   linear(s.queryStep(), b.d, attentionBias) + (b.gated ? 2 : 1) * linear(b.d, b.mlp, mlpBias) +
                   linear(b.mlp, b.d, mlpBias);
  if (!holds(c, 0, F32, outputs * b.d) || !holds(c, 1, F32, rows * b.d) || !holds(c, 2, F32, weights) ||
      !holds(c, 3, F32, angles) || !holds(c, 4, F32, angles) || !holds(c, 5, U8, 0) || !holds(c, 6, F32, keys) ||
      !holds(c, 7, F32, keys))
    return;
  if (c.buf[5].length > 0 && !holds(c, 5, U8, s.n * s.columns)) return;
  if (rows == 0) return;

  b.y = f32(c, 0);
  b.x = f32(c, 1);
  b.cosines = f32(c, 3);
  b.sines = f32(c, 4);
  s.seen = c.buf[5].length > 0 ? u8(c, 5) : nullptr;
  b.cacheK = cached ? f32(c, 6) : nullptr;
  b.cacheV = cached ? f32(c, 7) : nullptr;
  Reader reader{f32(c, 2)};
  b.attentionNorm = reader.norm(b.d, b.centred);
  b.q = reader.linear(b.d, s.queryStep(), attentionBias);
  b.k = reader.linear(b.d, s.keyStep(), attentionBias);
  b.v = reader.linear(b.d, s.keyStep(), attentionBias);
  b.out = reader.linear(s.queryStep(), b.d, attentionBias);
  b.mlpNorm = reader.norm(b.d, b.centred);
  if (b.gated) b.gate = reader.linear(b.d, b.mlp, mlpBias);
  b.up = reader.linear(b.d, b.mlp, mlpBias);
  b.down = reader.linear(b.mlp, b.d, mlpBias);

  // Pieces that keep every thread busy, of whole register tiles where sequences are short.
  size_t share = least(kTaskRows, ceilDiv(ceilDiv(rows, size_t(threadCount())), kTileRows) * kTileRows);
  forRange(s.n, most<size_t>(1, share / s.t), [&](size_t begin, size_t end) { runSequences(c, b, begin, end); });
}

SAX_END
