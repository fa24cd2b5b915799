/** @file What products with packed weights check of a call, whichever form the weight lies in (linear.cc, bfloat-linear.cc). */
#pragma once
#include "isa.h"

SAX_BEGIN

/**
 * Whether there is something to compute: buffers y [rows, out], x [rows, in], the packed weight of `size` elements of `held`, bias [out] or
 * empty. Otherwise records the error, if it is one.
 */
static inline bool takesLayer(Call& c, size_t rows, size_t in, size_t out, Type held, size_t size) {
  if (!holds(c, 0, F32, times(rows, out)) || !holds(c, 1, F32, times(rows, in)) || !holds(c, 2, held, size) || !holds(c, 3, F32, 0))
    return false;
  if (c.buf[3].length > 0 && !holds(c, 3, F32, out)) return false;
  if (rows == 0 || out == 0) return false;
  if (in == 0) c.error = "native linear: a layer without inputs";
  return in > 0;
}

/** The bias of such a call, or null. */
static inline const float* biasOf(Call& c) { return c.buf[3].length > 0 ? f32(c, 3) : nullptr; }

/** Whether rows are all of a table of `rows`; otherwise records the error. */
static inline bool knownRows(Call& c, const int32_t* ids, size_t count, size_t rows) {
  for (size_t i = 0; i < count; i++) {
    if (ids[i] >= 0 && static_cast<size_t>(ids[i]) < rows) continue;
    c.error = "native packedRows: an id that the table has no row of";
    return false;
  }
  return true;
}

SAX_END
