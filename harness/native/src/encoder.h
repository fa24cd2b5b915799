/** @file What the encode-and-select kernels share: the problem, and the screening in bfloat16 that may solve most of it. */
#pragma once
#include "gemm-tile.h"

SAX_BEGIN

/** The k largest entries of each row of x · W + bias; k is 0, and there are no outputs, where a floor decides instead. */
struct Encoder {
  size_t n, d, features, k;
  size_t across;              // floats from one row of W to the next: features, or more where W is part of a wider matrix
  const float *x, *W, *bias;  // [n, d], [d, features], [features]
  float* values;              // [n, k]
  int32_t* indices;           // [n, k]
};

/** Entries of several rows with their keys (select.h), those of a row in the order of the columns. Grows. */
struct Found {
  int32_t *keys, *columns, *rows;
  size_t count, room;

  /** Room for `more`. */
  void grow(size_t more) {
    if (count + more <= room) return;
    room = most(2 * room, count + more);
    int32_t** lists[] = {&keys, &columns, &rows};
    for (int32_t** list : lists) {
      *list = static_cast<int32_t*>(__builtin_realloc(*list, room * sizeof(int32_t)));
      if (!*list) __builtin_abort();  // as `scratch` does
    }
  }

  void free() {
    __builtin_free(keys);
    __builtin_free(columns);
    __builtin_free(rows);
  }
};

/** How calls are served: 0: screening where it pays, 1: never, 2: wherever it can. The tests compare these. */
int screeningMode();

/** Ways to compute products in bfloat16, in the numbering of the tests. ByModel is the model of the tiles, for tests alone. */
enum BfloatProducts { ByBest, ByDots, ByTiles, ByModel };

/** What screening takes: tiles where this process has them, unless a test wants another. */
BfloatProducts screeningProducts();

/** What the last call screened: to zero, and more rows of which some are left. */
void resetScreened();
void countScreened(size_t rows, size_t left);

/** Whether this CPU and this problem are ones that screening is for; `always` asks only whether it can. */
bool canScreen(const Encoder& e, bool always);

/**
 * Fills in the rows that screening in bfloat16 settles, with the bits of the float32 kernel, and sets `undone[i]` to 1 for
 * those that it leaves. Gives up, leaving every row, when that would be most of them.
 * @returns the number of rows left.
 */
size_t screenTopK(const Encoder& e, uint8_t* undone);

/**
 * The same for the entries with keys from `floor` on, of at most `room` candidates a row, which `found` takes in; e.k is 0. Takes
 * scratch slots 2 and 4.
 */
size_t screenAbove(const Encoder& e, int32_t floor, size_t room, uint8_t* undone, Found& found);

SAX_END
