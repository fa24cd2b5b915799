/** @file The thread pool: sleeping workers, tasks handed out one by one, never torn down so that no exit can hang or crash. */
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "call.h"

namespace sax {
namespace {

struct Pool {
  std::mutex owner;  // held by the one caller that may use the workers
  std::mutex mutex;
  std::condition_variable wake, done;
  unsigned generation = 0;
  bool open = false;
  int active = 0;
  void (*body)(void*, size_t) = nullptr;
  void* context = nullptr;
  size_t tasks = 0;
  std::atomic<size_t> next{0};
  std::atomic<int> callers{0};
  int threads = 1;
};

// Allocated once and never freed: workers sleep in it while the process exits.
Pool* pool = nullptr;
std::once_flag once;
thread_local bool inside = false;

void drain(Pool& p) {
  for (size_t i; (i = p.next.fetch_add(1, std::memory_order_relaxed)) < p.tasks;) p.body(p.context, i);
}

void work(Pool* p) {
  inside = true;
  unsigned seen = 0;
  std::unique_lock<std::mutex> lock(p->mutex);
  for (;;) {
    p->wake.wait(lock, [&] { return p->open && p->generation != seen; });
    seen = p->generation;
    p->active++;
    lock.unlock();
    drain(*p);
    lock.lock();
    if (--p->active == 0) p->done.notify_one();
  }
}

struct Scratch {
  void* data[kScratchSlots] = {};
  size_t size[kScratchSlots] = {};
  ~Scratch() {
    for (void* each : data) std::free(each);
  }
};
thread_local Scratch buffers;

}  // namespace

int threadCount() { return pool ? pool->threads : 1; }

void startPool(int threads) {
  std::call_once(once, [threads] {
    Pool* fresh = new Pool;
    for (int i = 1; i < threads; i++) {
      try {
        std::thread(work, fresh).detach();
      } catch (...) {
        break;  // a limit on threads: the ones that started serve
      }
      fresh->threads++;
    }
    pool = fresh;
  });
}

void addCallers(int delta) {
  if (pool) pool->callers.fetch_add(delta);
}

void parallel(size_t tasks, void (*body)(void*, size_t), void* context) {
  Pool* p = pool;
  // Where a caller works on every core, waking a worker only takes one of them away from another caller.
  bool alone = tasks <= 1 || inside || p == nullptr || p->threads <= 1 || p->callers.load() >= p->threads;
  if (alone || !p->owner.try_lock()) {
    for (size_t i = 0; i < tasks; i++) body(context, i);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(p->mutex);
    p->body = body;
    p->context = context;
    p->tasks = tasks;
    p->next.store(0, std::memory_order_relaxed);
    p->generation++;
    p->open = true;
  }
  if (tasks == 2) p->wake.notify_one();
  else p->wake.notify_all();
  inside = true;
  drain(*p);
  inside = false;
  {
    // Closing first: a worker that has not woken yet is not waited for, its share has been done here.
    std::unique_lock<std::mutex> lock(p->mutex);
    p->open = false;
    p->done.wait(lock, [&] { return p->active == 0; });
  }
  p->owner.unlock();
}

void* scratch(int slot, size_t bytes) {
  if (buffers.size[slot] < bytes) {
    std::free(buffers.data[slot]);
    size_t rounded = (bytes + 4095) / 4096 * 4096;
    buffers.data[slot] = std::aligned_alloc(64, rounded);
    buffers.size[slot] = buffers.data[slot] ? rounded : 0;
    if (!buffers.data[slot]) std::abort();
  }
  return buffers.data[slot];
}

}  // namespace sax
