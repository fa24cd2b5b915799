/**
 * @file Softmax attention, forward: one task for each row of the batch and group of heads, which holds the scores of one
 * block of queries. Every sum runs in one order whatever the number of threads.
 */
#include "attention.h"

SAX_BEGIN

bool readAttention(Call& c, Attention& a) {
  a.n = sizeParam(c, 0);
  a.t = sizeParam(c, 1);
  a.columns = sizeParam(c, 2);
  a.capacity = sizeParam(c, 3);
  a.heads = sizeParam(c, 4);
  a.kvHeads = sizeParam(c, 5);
  a.width = sizeParam(c, 6);
  a.scale = static_cast<float>(c.p[7]);
  a.causal = c.p[8] != 0;
  a.window = sizeParam(c, 9);
  bool whole = a.kvHeads > 0 && a.width > 0 && a.heads % a.kvHeads == 0;
  size_t largest = times(a.n, most(a.t, a.capacity), most(a.heads, a.kvHeads), a.width);
  if (!c.error && largest < (size_t{1} << 60) && whole && a.columns <= a.capacity && (!a.causal || a.t <= a.columns) &&
      (a.causal || a.window == 0) && a.scale > 0)
    return true;
  if (!c.error) c.error = "native attention: the sizes contradict one another";
  return false;
}

namespace {

/** A number of registers as a type. */
template <size_t N>
struct Vectors {
  static constexpr size_t count = N;
};

/** The largest of n floats, n a multiple of kLanes; NaN is passed over. */
inline float largestOf(const float* x, size_t n) {
  vf m = load(x);
  for (size_t j = kLanes; j < n; j += kLanes) {
    vf v = load(x + j);
    m = v > m ? v : m;
  }
  float lanes[kLanes];
  store(lanes, m);
  float top = lanes[0];
  for (size_t l = 1; l < kLanes; l++) top = lanes[l] > top ? lanes[l] : top;
  return top;
}

/** Softmax of scale · s over `end` columns (whole registers), in place; returns ln Σ exp, +inf for a row that sees nothing. */
inline float softmaxOf(float* s, size_t end, float scale) {
  float top = largestOf(s, end);
  // A NaN stays in its place and makes the sum NaN, and with it the row.
  if (top == -inf()) {
    for (size_t j = 0; j < end; j++) s[j] = 0.0f;
    return inf();
  }
  for (size_t j = 0; j < end; j++) s[j] = expOf((s[j] - top) * scale);
  vf sums = {};
  for (size_t j = 0; j < end; j += kLanes) sums += load(s + j);
  float sum = sumLanes(sums), factor = 1.0f / sum;
  for (size_t j = 0; j < end; j += kLanes) store(s + j, load(s + j) * factor);
  return top * scale + logOf(sum);
}

/** All queries of one row of the batch that read the keys of one group. */
void attendGroup(const Attention& a, size_t row, size_t group, float* mixed, float* sums) {
  size_t padded = a.padded(), block = a.blockRows(), step = a.queryStep();
  size_t keyFloats = Strips::size(a.columns, a.width), valueFloats = Strips::size(a.width, a.columns);
  float* memory = static_cast<float*>(scratch(1, (keyFloats + valueFloats + block * padded) * sizeof(float)));
  Strips keys{memory, a.columns, a.width}, values{memory + keyFloats, a.width, a.columns};
  float* s = memory + keyFloats + valueFloats;
  size_t first = row * a.capacity * a.keyStep() + group * a.width;
  packStrips(keys, a.k + first, a.keyStep(), 1);
  packStrips(values, a.v + first, 1, a.keyStep());
  const uint8_t* seen = a.seen ? a.seen + row * a.columns : nullptr;
  for (size_t h = group * a.group(); h < (group + 1) * a.group(); h++) {
    size_t start = row * a.t * step + h * a.width;
    for (size_t i0 = 0; i0 < a.t; i0 += block) {
      size_t rows = least(block, a.t - i0), reach = a.limit(i0 + rows - 1);
      scoresOf(a, a.q + start, i0, rows, keys, s);
      size_t end = ceilDiv(reach, kLanes) * kLanes;
      for (size_t i = 0; i < rows; i++) {
        hideUnseen(a, i0 + i, s + i * padded, end, seen);
        sums[(row * a.heads + h) * a.t + i0 + i] = softmaxOf(s + i * padded, end, a.scale);
      }
      timesStrips(s, padded, rows, values, a.width, reach, mixed + start + i0 * step, step);
    }
  }
}

/** out[i] = x · (y + i · step) for i < 4, over n values. */
inline void dots4(const float* x, const float* y, size_t step, size_t n, float* out) {
  v4 acc[4] = {};
  size_t j = 0;
  if (n >= kLanes) {
    vf wide[4] = {};
    for (; j + kLanes <= n; j += kLanes) {
      vf v = load(x + j);
      for (size_t i = 0; i < 4; i++) wide[i] += v * load(y + i * step + j);
    }
    for (size_t i = 0; i < 4; i++) {
      union {
        vf whole;
        v4 part[kLanes / 4];
      } u = {wide[i]};
      for (v4 part : u.part) acc[i] += part;
    }
  }
  for (; j + 4 <= n; j += 4) {
    v4 v = load4(x + j);
    for (size_t i = 0; i < 4; i++) acc[i] += v * load4(y + i * step + j);
  }
  float rows[16], columns[16];
  for (size_t i = 0; i < 4; i++) store4(rows + 4 * i, acc[i]);
  transpose4(columns, 4, rows, 4);
  store4(out, (load4(columns) + load4(columns + 8)) + (load4(columns + 4) + load4(columns + 12)));
  for (; j < n; j++)
    for (size_t i = 0; i < 4; i++) out[i] += x[j] * y[i * step + j];
}

/** out[d] = Σ_j p[j] · v[j · step + d] for d < width, with width below kLanes. */
inline void mixNarrow(const float* p, const float* v, size_t step, size_t columns, size_t width, float* out) {
  size_t d = 0;
  for (; d + 4 <= width; d += 4) {
    v4 sum = {};
    for (size_t j = 0; j < columns; j++) sum += p[j] * load4(v + j * step + d);
    store4(out + d, sum);
  }
  for (; d < width; d++) {
    float sum = 0.0f;
    for (size_t j = 0; j < columns; j++) sum += p[j] * v[j * step + d];
    out[d] = sum;
  }
}

/**
 * The same for a single query a row: keys and values are read once, in place. A cache is larger than what is near, so those
 * of the next group (`ahead` floats on; 0 for none) are asked for meanwhile.
 */
void attendOne(const Attention& a, size_t row, size_t group, size_t ahead, float* mixed, float* sums) {
  size_t padded = a.padded(), heads = a.group(), step = a.keyStep();
  float* s = static_cast<float*>(scratch(1, heads * padded * sizeof(float)));
  size_t first = row * a.capacity * step + group * a.width, h = group * heads;
  const float *q = a.q + (row * a.heads + h) * a.width, *k = a.k + first, *v = a.v + first;
  float* out = mixed + (row * a.heads + h) * a.width;
  size_t j = 0;
  for (; j + 4 <= a.columns; j += 4) {
    for (size_t i = 0; ahead > 0 && i < 4; i++) {
      bring(k + ahead + (j + i) * step, a.width);
      bring(v + ahead + (j + i) * step, a.width);
    }
    for (size_t g = 0; g < heads; g++) dots4(q + g * a.width, k + j * step, step, a.width, s + g * padded + j);
  }
  for (; j < a.columns; j++)
    for (size_t g = 0; g < heads; g++) s[g * padded + j] = headDot(q + g * a.width, k + j * step, a.width);
  for (size_t g = 0; g < heads; g++) {
    hideUnseen(a, 0, s + g * padded, padded, a.seen ? a.seen + row * a.columns : nullptr);
    sums[row * a.heads + h + g] = softmaxOf(s + g * padded, padded, a.scale);
  }
  size_t d = 0;
  auto mix = [&](auto vectors) {
    constexpr size_t width = decltype(vectors)::count * kLanes;
    for (; d + width <= a.width; d += width)
      for (size_t g = 0; g < heads; g += kTileRows)
        tileRows<true, decltype(vectors)::count>(least(kTileRows, heads - g), a.columns, s + g * padded, padded, v + d, step,
                                                 out + g * a.width + d, a.width, width, false);
  };
  mix(Vectors<kTileVectors>{});
  mix(Vectors<1>{});
  for (size_t g = 0; g < heads; g++)
    mixNarrow(s + g * padded, v + d, step, a.columns, a.width - d, out + g * a.width + d);
}

}  // namespace

void attendGroups(const Attention& a, size_t begin, size_t end, float* mixed, float* sums) {
  for (size_t i = begin; i < end; i++) {
    if (a.t == 1) {
      size_t within = i % a.kvHeads, step = within + 1 < a.kvHeads ? a.width : a.capacity * a.keyStep() - within * a.width;
      attendOne(a, i / a.kvHeads, within, i + 1 < end ? step : 0, mixed, sums);
    } else attendGroup(a, i / a.kvHeads, i % a.kvHeads, mixed, sums);
  }
}

/**
 * Buffers: mixed [n·t, heads·width], sums [n, heads, t] (ln Σ exp of the scaled scores), q, k, v, seen (uint8, length 0 for
 * none). Params: see `readAttention`.
 */
void attention(Call& c) {
  Attention a;
  if (!readAttention(c, a)) return;
  size_t queries = a.n * a.t * a.heads, keys = a.n * a.capacity * a.keyStep();
  if (!holds(c, 0, F32, queries * a.width) || !holds(c, 1, F32, queries) || !holds(c, 2, F32, queries * a.width) ||
      !holds(c, 3, F32, keys) || !holds(c, 4, F32, keys) || !holds(c, 5, U8, 0))
    return;
  if (c.buf[5].length > 0 && !holds(c, 5, U8, a.n * a.columns)) return;
  a.q = f32(c, 2);
  a.k = f32(c, 3);
  a.v = f32(c, 4);
  a.seen = c.buf[5].length > 0 ? u8(c, 5) : nullptr;
  float *mixed = f32(c, 0), *sums = f32(c, 1);
  if (a.columns == 0) {
    for (size_t i = 0; i < queries * a.width; i++) mixed[i] = 0.0f;
    for (size_t i = 0; i < queries; i++) sums[i] = inf();
    return;
  }
  // A piece of work large enough to be worth waking a thread for.
  size_t work = a.t * a.columns * a.width * a.group();
  forRange(a.n * a.kvHeads, most<size_t>(1, (size_t{1} << 16) / most<size_t>(1, work)),
           [&](size_t begin, size_t end) { attendGroups(a, begin, end, mixed, sums); });
}

SAX_END
