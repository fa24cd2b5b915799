/** @file Results written past the cache: large ones that are read again only after they would have left it. */
#pragma once
#include "isa.h"
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

SAX_BEGIN

/** From this size on an output is not kept in cache. */
constexpr size_t kStreamed = size_t{1} << 23;

/** Copies n floats, to memory without reading it first where the CPU can; `settle` must follow before others read them. */
static inline void streamOut(float* to, const float* from, size_t n) {
  size_t i = 0;
#if defined(__SSE__)
  for (; i < n && (reinterpret_cast<uintptr_t>(to + i) & 15); i++) to[i] = from[i];
  for (; i + 4 <= n; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
#endif
  for (; i < n; i++) to[i] = from[i];
}

/** What this thread streamed is there for every thread. */
static inline void settle() {
#if defined(__SSE__)
  _mm_sfence();
#endif
}

SAX_END
