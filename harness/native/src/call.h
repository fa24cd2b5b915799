/** @file How a kernel is called: typed arrays owned by JavaScript and one block of doubles, shared by every instruction set. */
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sax {

enum Type : int { F32 = 0, I32 = 1, U8 = 2, F64 = 3 };

/** One typed array. `length` counts elements. */
struct Buf {
  void* data;
  size_t length;
  Type type;
};

constexpr int kMaxBuffers = 12;
constexpr int kMaxParams = 256;

/** A kernel reads its shapes and scalars from `p` and its arrays from `buf`; a non-null `error` becomes a JS exception. */
struct Call {
  const double* p;
  int count;
  Buf buf[kMaxBuffers];
  const char* error;
};

struct Entry {
  const char* name;
  void (*run)(Call&);
  int buffers;
};

/** Whether this process may use the tiles of AMX on bfloat16; the first call asks for them. */
bool mayUseTiles();
/** Number of threads of the pool, the calling one included. */
int threadCount();
/** Sets the size of the pool; the first call of the process wins, later ones are ignored. */
void startPool(int threads);
/** Counts threads that call kernels all the time: where there are as many as cores, each kernel stays on its caller's. */
void addCallers(int delta);
/** Runs body(context, 0 … tasks-1) on the pool; inline when nested or when another Node environment holds the pool. */
void parallel(size_t tasks, void (*body)(void*, size_t), void* context);
/** A 64-byte aligned buffer of the calling thread, kept between calls; one of `kScratchSlots`. */
void* scratch(int slot, size_t bytes);
constexpr int kScratchSlots = 6;

}  // namespace sax
