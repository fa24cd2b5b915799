/** @file KronSAE's encoder: factors of two small encoders, and the largest products of two factors of a head. */
#pragma once
#include "select.h"

SAX_BEGIN

/** Factors [heads, m] and [heads, width] of a row give products [heads, m, width]. */
struct Heads {
  size_t heads, m, width;
  size_t bases() const { return heads * m; }
  size_t extensions() const { return heads * width; }
  size_t products() const { return heads * m * width; }
  size_t baseOf(size_t product) const { return product / width; }
  size_t extensionOf(size_t product) const { return product / (m * width) * width + product % width; }
};

/** The k largest √(u · v) of each row, u = x · base and v = x · extension. */
struct KronEncoder {
  size_t n, d, k;
  Heads heads;
  const float *x, *base, *extension;  // [n, d], [d, bases], [d, extensions]
  const float* among;                 // [products]: what is not above 0 is left out; null: nothing is
  float least;
  float *values, *ratios;  // [n, k]
  int32_t* indices;        // [n, k]
};

static inline float positive(float x) { return x > 0.0f ? x : 0.0f; }

/** Of two factors that are 0 or more. An infinity times 0 is no number: it counts as 0. */
static inline float productOf(float left, float right) { return left * right >= 0.0f ? left * right : 0.0f; }

/** products [heads, m, width] of one row's factors of 0 or more; 0 for those that are left out. */
static inline void productsOf(const KronEncoder& e, const float* left, const float* right, float* products) {
  const Heads& s = e.heads;
  float* z = products;
  for (size_t t = 0; t < s.heads; t++, right += s.width) {
    for (size_t i = 0; i < s.m; i++, left++, z += s.width) {
      size_t j = 0;
      for (; j + 4 <= s.width; j += 4) {
        v4 product = *left * load4(right + j);
        store4(z + j, product == product ? product : v4{});
      }
      for (; j < s.width; j++) z[j] = productOf(*left, right[j]);
    }
  }
  if (!e.among) return;
  for (size_t f = 0; f < s.products(); f++) products[f] = e.among[f] > 0.0f ? products[f] : 0.0f;
}

/** Writes row i: the keys of its k largest products (0 or more, so that their bits are in their order) and their places, which ascend. */
static inline void writeRow(const KronEncoder& e, size_t i, const float* u, const float* v, int32_t* keys, int32_t* places) {
  float *values = e.values + i * e.k, *ratios = e.ratios + i * e.k;
  int32_t* indices = e.indices + i * e.k;
  writeSorted(keys, places, e.k, values, indices);
  for (size_t q = 0; q < e.k; q++) {
    size_t f = static_cast<size_t>(indices[q]);
    float a = u[e.heads.baseOf(f)], b = v[e.heads.extensionOf(f)];
    ratios[q] = values[q] > 0.0f ? __builtin_sqrtf(most(a, e.least) / most(b, e.least)) : 0.0f;
    values[q] = __builtin_sqrtf(values[q]);
  }
}

/**
 * Fills in the rows that screening in bfloat16 settles, with the bits of the float32 kernel, and sets `undone[i]` for those that it
 * leaves; every row where they would be many. Takes scratch slots 1 to 4. @returns the number of rows left.
 */
size_t screenKron(const KronEncoder& e, uint8_t* undone);

SAX_END
