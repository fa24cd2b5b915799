/** @file Kernels that follow indices: gather, scatter-add, segment sums, one-hot. Bad indices are errors, never memory. */
#include "isa.h"

SAX_BEGIN

namespace {

constexpr size_t kGrain = 1 << 14;

/** Rows of `slice` elements: out[i] = x[rowOf(i)]. */
template <class T, class F>
void takeRows(T* out, const T* x, size_t rows, size_t slice, F rowOf) {
  forRange(rows, most<size_t>(1, kGrain / most<size_t>(slice, 1)), [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const T* from = x + rowOf(i) * slice;
      T* to = out + i * slice;
      if (slice >= 16) __builtin_memcpy(to, from, slice * sizeof(T));
      else
        for (size_t j = 0; j < slice; j++) to[j] = from[j];
    }
  });
}

/**
 * out[rowOf(i)] += x[i] for every row i in order; rowOf gives -1 for rows to drop. Threads split the columns, or with
 * narrow rows the targets, so that each element is summed in one fixed order.
 */
template <class T, class F>
void addRows(T* out, const T* x, size_t rows, size_t slice, size_t targets, F rowOf) {
  auto add = [](T a, T b) {
    if constexpr (static_cast<T>(0.5f) == 0) return static_cast<T>(uint32_t(a) + uint32_t(b));
    else return a + b;
  };
  size_t total = rows * slice;
  if (slice >= 64 || total < 4 * kGrain) {
    size_t band = total < 4 * kGrain ? slice : most<size_t>(32, ceilDiv(ceilDiv(slice, 2 * threadCount()), 16) * 16);
    forRange(slice, most<size_t>(band, 1), [=](size_t begin, size_t end) {
      for (size_t i = 0; i < rows; i++) {
        ptrdiff_t at = rowOf(i);
        if (at < 0) continue;
        T* to = out + size_t(at) * slice;
        const T* from = x + i * slice;
        for (size_t j = begin; j < end; j++) to[j] = add(to[j], from[j]);
      }
    });
    return;
  }
  forRange(targets, ceilDiv(targets, threadCount()), [=](size_t begin, size_t end) {
    for (size_t i = 0; i < rows; i++) {
      ptrdiff_t at = rowOf(i);
      if (at < ptrdiff_t(begin) || at >= ptrdiff_t(end)) continue;
      for (size_t j = 0; j < slice; j++) out[size_t(at) * slice + j] = add(out[size_t(at) * slice + j], x[i * slice + j]);
    }
  });
}

template <class T>
void zero(T* out, size_t n) {
  forRange(n, 1 << 17, [=](size_t begin, size_t end) { __builtin_memset(out + begin, 0, (end - begin) * sizeof(T)); });
}

/** out[o, s, :] = Σ x[o, i, :] over i with ids[i] = s; ids out of range are dropped. Buffers: out, x, ids. */
void sumSegments(Call& c, size_t outer, size_t count, size_t slice, size_t segments) {
  if (!holds(c, 0, F32, times(outer, segments, slice)) || !holds(c, 1, F32, times(outer, count, slice)) ||
      !holds(c, 2, I32, count))
    return;
  const int32_t* ids = i32(c, 2);
  zero(f32(c, 0), outer * segments * slice);
  if (count == 0) return;
  addRows(f32(c, 0), f32(c, 1), outer * count, slice, outer * segments, [=](size_t i) {
    int32_t id = ids[i % count];
    return id < 0 || size_t(id) >= segments ? ptrdiff_t{-1} : ptrdiff_t(i / count * segments + size_t(id));
  });
}

}  // namespace

/** out[b, o, i, :] = x[b, o, indices[b, i], :]. Buffers: out, x, indices. Params: batch, outer, count, dim, slice. */
void gather(Call& c) {
  size_t batch = sizeParam(c, 0), outer = sizeParam(c, 1), count = sizeParam(c, 2), dim = sizeParam(c, 3), slice = sizeParam(c, 4);
  Type t = c.buf[0].type;
  if (!holds(c, 0, t, times(batch, outer, count, slice)) || !holds(c, 1, t, times(batch, outer, dim, slice)) ||
      !holds(c, 2, I32, batch * count))
    return;
  const int32_t* at = i32(c, 2);
  for (size_t i = 0; i < batch * count; i++)
    if (at[i] < 0 || size_t(at[i]) >= dim) {
      c.error = "GatherV2: an index value is out of range";
      return;
    }
  if (count == 0 || outer == 0 || slice == 0) return;
  auto rowOf = [=](size_t i) {
    size_t bo = i / count;
    return bo * dim + size_t(at[bo / outer * count + i % count]);
  };
  size_t rows = batch * outer * count;
  if (t == U8) return takeRows(u8(c, 0), u8(c, 1), rows, slice, rowOf);
  takeRows(i32(c, 0), i32(c, 1), rows, slice, rowOf);
}

/** Sum of the rows of x by segment id; ids out of range are dropped. Buffers: out, x, ids. Params: rows, slice, segments. */
void segmentSum(Call& c) { sumSegments(c, 1, sizeParam(c, 0), sizeParam(c, 1), sizeParam(c, 2)); }

/** The same along an inner dimension. Params: outer, rows, slice, segments. */
void segmentSumAlong(Call& c) { sumSegments(c, sizeParam(c, 0), sizeParam(c, 1), sizeParam(c, 2), sizeParam(c, 3)); }

/**
 * Gather (param 0 = 0) or scatter-add (1) of slices at index tuples. Buffers: out, source, indices. Params: mode, tuples,
 * tuple length, slice, number of slices in the indexed tensor, then the stride (in slices) of each index of the tuple.
 */
void tuples(Call& c) {
  bool add = c.p[0] != 0;
  size_t n = sizeParam(c, 1), depth = sizeParam(c, 2), slice = sizeParam(c, 3), slices = sizeParam(c, 4);
  Type t = c.buf[0].type;
  if (depth > kMaxParams - 5) {
    c.error = "Invalid indices: the tuples are too long";
    return;
  }
  if (!holds(c, 0, t, (add ? slices : n) * slice) || !holds(c, 1, t, (add ? n : slices) * slice) ||
      !holds(c, 2, I32, n * depth))
    return;
  const int32_t* indices = i32(c, 2);
  const double* strides = c.p + 5;
  auto rowOf = [=](size_t i) {
    ptrdiff_t at = 0;
    for (size_t d = 0; d < depth; d++) at += ptrdiff_t(indices[i * depth + d]) * ptrdiff_t(strides[d]);
    return at;
  };
  for (size_t i = 0; i < n; i++)
    if (rowOf(i) < 0 || size_t(rowOf(i)) >= slices) {
      c.error = "Invalid indices: an index tuple does not index into the tensor";
      return;
    }
  if (!add) {
    if (t == U8) return takeRows(u8(c, 0), u8(c, 1), n, slice, rowOf);
    return takeRows(i32(c, 0), i32(c, 1), n, slice, rowOf);
  }
  if (t == F32) {
    zero(f32(c, 0), slices * slice);
    return addRows(f32(c, 0), f32(c, 1), n, slice, slices, rowOf);
  }
  if (t == I32) {
    zero(i32(c, 0), slices * slice);
    return addRows(i32(c, 0), i32(c, 1), n, slice, slices, rowOf);
  }
  c.error = "native scatter: this type is not served";
}

/** Buffers: out, indices. Params: count, depth, on, off. Indices out of range give a row of `off`. */
void oneHot(Call& c) {
  size_t n = sizeParam(c, 0), depth = sizeParam(c, 1);
  double on = c.p[2], off = c.p[3];
  Type t = c.buf[0].type;
  if (!holds(c, 0, t, n * depth) || !holds(c, 1, I32, n)) return;
  const int32_t* at = i32(c, 1);
  auto write = [&](auto* out, auto hot, auto cold) {
    forRange(n, most<size_t>(1, kGrain / most<size_t>(depth, 1)), [=](size_t begin, size_t end) {
      for (size_t j = begin * depth; j < end * depth; j++) out[j] = cold;
      for (size_t i = begin; i < end; i++)
        if (at[i] >= 0 && size_t(at[i]) < depth) out[i * depth + size_t(at[i])] = hot;
    });
  };
  if (t == F32) return write(f32(c, 0), float(on), float(off));
  if (t == I32) return write(i32(c, 0), int32_t(on), int32_t(off));
  write(u8(c, 0), uint8_t(on), uint8_t(off));
}

SAX_END
