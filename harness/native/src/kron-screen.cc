/**
 * @file KronSAE's encoder by screening: both products in bfloat16 with the bound of screen.cc on each factor, hence a lower and an
 * upper bound of each product of two factors. Products and the roundings in them keep the order of their factors, so that one whose
 * upper bound is below the k-th largest lower bound of its row is below k float32 products, strictly. The factors of the others
 * are computed again in float32.
 */
#include "rescore.h"
#include "kron.h"

SAX_BEGIN

#ifndef SAX_SCREENING

size_t screenKron(const KronEncoder& e, uint8_t*) { return e.n; }

#else

namespace {

constexpr size_t kRowsPerTask = 96;     // their factors, [rows, columns], stay in cache
constexpr size_t kRowsPerChunk = 2048;  // rows whose candidates are kept at once

/** Both weights side by side, each from a multiple of kPairCols columns on. */
struct Factors {
  size_t pairs, extension, columns;  // pairs along d; where the extension's columns begin; all of them
  uint32_t* W;
  float *E, *N;  // of each column what margins need, as in screen.cc
};

/** What is kept of a chunk of rows. */
struct Chunk {
  const KronEncoder& e;
  const Factors& f;
  size_t room;  // products of a row at most, and half as many as its factors
  uint32_t* x;
  RowMargin* margins;
  uint32_t *products, *factors;  // how many of each row
  int32_t* places;               // the products' [n, room]
  CandidateLists lists;          // the factors' [n, 2 · room]
  uint8_t* undone;
};

size_t roomFor(const KronEncoder& e) { return 6 * e.k + 192; }

size_t padded(size_t columns) { return ceilDiv(columns, kPairCols) * kPairCols; }

/** The columns of strip b in the weights as they are. */
Strip stripOf(const KronEncoder& e, const Factors& f, size_t b) {
  size_t column = b * kPairCols;
  bool own = column < f.extension;
  size_t across = own ? e.heads.bases() : e.heads.extensions(), from = own ? column : column - f.extension;
  return {(own ? e.base : e.extension) + from, across, least(kPairCols, across - from)};
}

void packWeights(const KronEncoder& e, const Factors& f) {
  forTasks(f.columns / kPairCols, [&](size_t b) {
    Strip strip = stripOf(e, f, b);
    Norms norms[kPairCols];
    pairColumns(f.W + b * kPairCols * f.pairs, strip.W, strip.across, e.d, f.pairs, strip.columns, norms);
    for (size_t c = 0; c < kPairCols; c++) {
      bool wild = isWild(norms[c]);
      f.E[b * kPairCols + c] = wild ? __builtin_inff() : norms[c].lost;
      f.N[b * kPairCols + c] = wild ? __builtin_inff() : norms[c].whole;
    }
  });
}

template <class Products>
void packRows(const Chunk& s) {
  const KronEncoder& e = s.e;
  constexpr size_t kRows = Products::kRows;
  forTasks(ceilDiv(e.n, kRows), [&](size_t strip) {
    size_t i = strip * kRows, count = least(kRows, e.n - i);
    Norms norms[kRows];
    packRowsFor<Products>(s.x + i * s.f.pairs, e.x + i * e.d, e.d, s.f.pairs, count, norms);
    for (size_t r = 0; r < count; r++) {
      s.undone[i + r] = isWild(norms[r]);
      s.margins[i + r] = rowMargin(norms[r], e.d);
      s.products[i + r] = s.factors[i + r] = 0;
    }
  });
}

/** Bounds from below and above, both 0 or more, of the factors of one row from their approximations z. */
void boundsOf(const Factors& f, const RowMargin& row, const float* z, float* low, float* high) {
  for (size_t c = 0; c < f.columns; c++) {
    float margin = row.a * f.E[c] + (row.b * f.N[c] + 0x1p-108f), lower = z[c] - margin, upper = z[c] + margin;
    low[c] = positive(lower);
    high[c] = upper <= 0.0f ? 0.0f : upper == upper ? upper : __builtin_inff();
  }
}

/** Keeps the products of row i that reach `bound` from above, and their factors; `seen` [columns] holds `stamp` for none of them. */
void keep(const Chunk& s, size_t i, const float* high, float bound, int32_t* seen, int32_t stamp) {
  const Heads& h = s.e.heads;
  int32_t* places = s.places + i * s.room;
  Candidate* factors = s.lists.all + i * s.lists.room;
  auto factor = [&](size_t column) {
    if (seen[column] == stamp) return;
    seen[column] = stamp;
    factors[s.factors[i]++] = {0.0f, static_cast<int32_t>(column)};
  };
  for (size_t t = 0; t < h.heads; t++) {
    const float *left = high + t * h.m, *right = high + s.f.extension + t * h.width;
    float largest = 0.0f;
    for (size_t j = 0; j < h.width; j++) largest = most(largest, right[j]);
    for (size_t l = 0; l < h.m; l++) {
      if (!(left[l] * largest >= bound)) continue;
      for (size_t j = 0; j < h.width; j++) {
        size_t place = (t * h.m + l) * h.width + j;
        if (!(left[l] * right[j] >= bound) || (s.e.among && !(s.e.among[place] > 0.0f))) continue;
        if (s.products[i] == s.room) {
          s.undone[i] = 1;
          s.products[i] = s.factors[i] = 0;
          return;
        }
        places[s.products[i]++] = static_cast<int32_t>(place);
        factor(t * h.m + l);
        factor(s.f.extension + t * h.width + j);
      }
    }
  }
}

/** Rows [i0, i0 + rows): their approximate factors, and what of them may be among the largest. */
template <class Products>
void screenRows(const Chunk& s, size_t i0, size_t rows) {
  static_assert(kRowsPerTask % Products::kRows == 0);
  typename Products::Session session;
  const KronEncoder& e = s.e;
  const Factors& f = s.f;
  float* z = static_cast<float*>(scratch(1, kRowsPerTask * f.columns * sizeof(float)));
  for (size_t j = 0; j < f.columns; j += kPairCols)
    for (size_t r = 0; r < rows; r += Products::kRows)
      Products::multiply(session, s.x + (i0 + r) * f.pairs, f.W + j * f.pairs, f.pairs, 0, f.pairs, z + r * f.columns + j, f.columns);
  size_t all = e.heads.products();
  float* low = static_cast<float*>(scratch(3, (3 * f.columns + all + 2 * e.k) * sizeof(float)));
  float *high = low + f.columns, *products = high + 2 * f.columns;
  int32_t *seen = reinterpret_cast<int32_t*>(high + f.columns), *keys = reinterpret_cast<int32_t*>(products);
  int32_t *kept = keys + all, *places = kept + e.k;
  __builtin_memset(seen, 0, f.columns * sizeof(int32_t));
  for (size_t r = 0; r < rows; r++) {
    size_t i = i0 + r;
    if (s.undone[i]) continue;
    boundsOf(f, s.margins[i], z + r * f.columns, low, high);
    productsOf(e, low, low + f.extension, products);
    takeBest(keys, all, e.k, 0, kept, places);
    int32_t worst = kept[0];
    for (size_t q = 1; q < e.k; q++) worst = least(worst, kept[q]);
    // With fewer than k that are surely above 0 the zeros count too, which are many.
    if (worst <= 0) s.undone[i] = 1;
    else keep(s, i, high, floatOf(worst), seen, static_cast<int32_t>(r) + 1);
  }
}

void select(const Chunk& s) {
  const KronEncoder& e = s.e;
  forRange(e.n, 64, [&](size_t begin, size_t end) {
    float* exact = static_cast<float*>(scratch(3, (s.f.columns + s.room + 2 * e.k) * sizeof(float)));
    int32_t* keys = reinterpret_cast<int32_t*>(exact + s.f.columns);
    int32_t *kept = keys + s.room, *best = kept + e.k;
    const float *u = exact, *v = exact + s.f.extension;
    for (size_t i = begin; i < end; i++) {
      if (s.undone[i]) continue;
      const Candidate* factors = s.lists.all + i * s.lists.room;
      const int32_t* places = s.places + i * s.room;
      for (size_t c = 0; c < s.factors[i]; c++) exact[factors[c].column] = factors[c].value;
      for (size_t q = 0; q < s.products[i]; q++) {
        size_t place = static_cast<size_t>(places[q]);
        float product = productOf(positive(u[e.heads.baseOf(place)]), positive(v[e.heads.extensionOf(place)]));
        __builtin_memcpy(keys + q, &product, sizeof product);
      }
      takeBest(keys, s.products[i], e.k, 0, kept, best);
      for (size_t q = 0; q < e.k; q++) best[q] = places[best[q]];
      writeRow(e, i, u, v, kept, best);
    }
  });
}

size_t countUndone(const uint8_t* undone, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += undone[i];
  return count;
}

template <class Products>
void screenChunk(const Chunk& s) {
  packRows<Products>(s);
  forTasks(ceilDiv(s.e.n, kRowsPerTask), [&](size_t task) {
    size_t i0 = task * kRowsPerTask;
    screenRows<Products>(s, i0, least(kRowsPerTask, s.e.n - i0));
  });
  rescoreLists(
      s.lists, s.e.x, s.e.d, s.f.columns / kPairCols, [&](size_t i) { return s.factors[i]; },
      [&](size_t b) { return stripOf(s.e, s.f, b); }, [](Candidate& candidate, float sum) { candidate.value = sum; });
  select(s);
}

template <class Products>
size_t screenAll(const KronEncoder& e, uint8_t* undone) {
  size_t extension = padded(e.heads.bases()), columns = extension + padded(e.heads.extensions()), room = roomFor(e);
  size_t n = least(e.n, kRowsPerChunk), pairs = Products::pairsOf(e.d), kRows = Products::kRows;
  Factors f{pairs, extension, columns, nullptr, nullptr, nullptr};
  KronEncoder part = e;
  Chunk s{part, f, room, nullptr, nullptr, nullptr, nullptr, nullptr, {nullptr, n, 2 * room, nullptr, nullptr}, nullptr};
  auto carve = [&](char* block) {
    Carver carver{block, 0};
    f.W = carver.take<uint32_t>(columns * pairs);
    f.E = carver.take<float>(columns);
    f.N = carver.take<float>(columns);
    s.x = carver.take<uint32_t>(ceilDiv(n, kRows) * kRows * pairs);
    s.margins = carver.take<RowMargin>(n);
    s.products = carver.take<uint32_t>(n);
    s.factors = carver.take<uint32_t>(n);
    s.places = carver.take<int32_t>(n * room);
    s.lists.all = carver.take<Candidate>(n * 2 * room);
    s.lists.order = carver.take<uint32_t>(n * 2 * room);
    s.lists.starts = carver.take<uint32_t>(columns / kPairCols + 1);
    return carver.used;
  };
  carve(static_cast<char*>(scratch(4, carve(nullptr))));
  packWeights(e, f);
  size_t left = 0;
  for (size_t i = 0; i < e.n; i += kRowsPerChunk) {
    part.n = s.lists.n = least(kRowsPerChunk, e.n - i);
    part.x = e.x + i * e.d;
    part.values = e.values + i * e.k;
    part.ratios = e.ratios + i * e.k;
    part.indices = e.indices + i * e.k;
    s.undone = undone + i;
    screenChunk<Products>(s);
    left += countUndone(s.undone, part.n);
    // Where it leaves that many the rest is no better served.
    if (left <= (i + part.n) / 4) continue;
    __builtin_memset(undone, 1, e.n);
    return e.n;
  }
  return left;
}

}  // namespace

size_t screenKron(const KronEncoder& e, uint8_t* undone) {
  return withProducts([&](auto products) { return screenAll<decltype(products)>(e, undone); });
}

#endif

SAX_END
