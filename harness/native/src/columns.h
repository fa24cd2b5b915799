/** @file Sums of rows by latent as the columns of a matrix: made sixteen elements at a time, and turned in registers. */
#pragma once
#include "codes.h"

SAX_BEGIN

constexpr size_t kPanel = 16;       // rows of the matrix made together: an element of each is a column's, and a cache line
constexpr size_t kRun = 12288;      // columns of a piece at most: long runs of memory, and a second level of 1 MiB still holds it
constexpr size_t kPanelVectors = kPanel / kLanes;

/** The non-zeros of codes by feature, without a look at the codes. */
struct Weights {
  const uint32_t* starts;  // as ByFeature's
  const float* values;
  const uint32_t* rows;

  /** Of at least one feature. Takes scratch slot 1, and the one of ByFeature. */
  Weights(const Codes& s, const float* codes) {
    ByFeature sorted(s, codes);
    size_t nnz = sorted.starts[s.features - 1];
    float* weights = static_cast<float*>(scratch(1, most<size_t>(1, nnz) * 2 * sizeof(float)));
    uint32_t* from = reinterpret_cast<uint32_t*>(weights + nnz);
    forRange(nnz, 1 << 13, [&](size_t begin, size_t end) {
      for (size_t p = begin; p < end; p++) {
        weights[p] = codes[sorted.order[p]];
        from[p] = sorted.order[p] / static_cast<uint32_t>(s.k);
      }
    });
    starts = sorted.starts, values = weights, rows = from;
  }

  /** out [kPanel] = Σ of feature f over the rows of a panel [n, kPanel], in the order of `combine`. */
  void sum(size_t f, const float* panel, float* out) const {
    size_t at = f == 0 ? 0 : starts[f - 1], end = starts[f];
    vf acc[kPanelVectors] = {};
    auto row = [&](size_t p, size_t v) { return load(panel + rows[p] * kPanel + v * kLanes); };
    auto four = [&](size_t p, size_t v) {
      return values[p] * row(p, v) + values[p + 1] * row(p + 1, v) + values[p + 2] * row(p + 2, v) + values[p + 3] * row(p + 3, v);
    };
    // The first is no sum with 0, as it is none there: with that the compiler would round others.
    if (at + 4 <= end) {
      for (size_t v = 0; v < kPanelVectors; v++) acc[v] = four(at, v);
      at += 4;
    } else if (at < end) {
      for (size_t v = 0; v < kPanelVectors; v++) acc[v] = values[at] * row(at, v);
      at++;
    }
    for (; at + 4 <= end; at += 4)
      for (size_t v = 0; v < kPanelVectors; v++) acc[v] += four(at, v);
    for (; at < end; at++)
      for (size_t v = 0; v < kPanelVectors; v++) acc[v] += values[at] * row(at, v);
    for (size_t v = 0; v < kPanelVectors; v++) store(out + v * kLanes, acc[v]);
  }
};

/**
 * The matrix [d, features] whose column f is Σ values · x over the non-zeros of feature f, piece by piece on the pool:
 * use(i, f0, count, run) for columns [f0, f0 + count) of row i. Takes scratch slots 1 to 3.
 */
template <class U>
static inline void eachRun(const Codes& s, const float* values, const float* x, const U& use) {
  if (s.features == 0 || s.d == 0) return;
  Weights sorted(s, values);
  size_t panels = ceilDiv(s.d, kPanel);
  size_t width = ceilDiv(ceilDiv(s.features, ceilDiv(s.features, kRun)), kPanel) * kPanel, pieces = ceilDiv(s.features, width);
  // A panel is made once where there are enough of them for all threads.
  size_t together = panels >= 4 * size_t(threadCount()) ? pieces : 1, tasks = ceilDiv(pieces, together);
  // A step of an odd number of cache lines: rows side by side do not compete for one place in the cache.
  size_t pitch = (width / kPanel | 1) * kPanel;
  forTasks(panels * tasks, [&](size_t task) {
    size_t i0 = task / tasks * kPanel, depth = least(kPanel, s.d - i0);
    float* panel = static_cast<float*>(scratch(2, (s.n + pitch + kPanel) * kPanel * sizeof(float)));
    float *part = panel + s.n * kPanel, *tile = part + pitch * kPanel;
    for (size_t r = 0; r < s.n; r++) {
      float* to = panel + r * kPanel;
      for (size_t i = 0; i < depth; i++) to[i] = x[r * s.d + i0 + i];
      for (size_t i = depth; i < kPanel; i++) to[i] = 0.0f;
    }
    size_t last = least(pieces, (task % tasks + 1) * together);
    for (size_t piece = task % tasks * together; piece < last; piece++) {
      size_t f0 = piece * width, count = least(width, s.features - f0);
      for (size_t f = 0; f < count; f += kPanel) {
        for (size_t l = 0; l < least(kPanel, count - f); l++) sorted.sum(f0 + f + l, panel, tile + l * kPanel);
        transpose16(part + f, pitch, tile, kPanel);
      }
      for (size_t i = 0; i < depth; i++) use(i0 + i, f0, count, part + i * pitch);
    }
  });
}

SAX_END
