/** @file The Node-API face: picks the instruction set, exports its kernels, hands typed arrays over without copying. */
#include <node_api.h>

#include <cstring>

#include "call.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if !defined(_WIN32)
#include <dlfcn.h>
#include <sys/mman.h>
#endif

namespace sax {

#define SAX_DECLARE(isa) namespace isa { extern const Entry table[]; const char* bfloatUnit(); }
#ifdef SAX_WITH_AVX512
SAX_DECLARE(avx512)
#endif
#ifdef SAX_WITH_AVX2
SAX_DECLARE(avx2)
#endif
#ifdef SAX_WITH_NEON
SAX_DECLARE(neon)
#endif
#ifdef SAX_WITH_PORTABLE
SAX_DECLARE(portable)
#endif

namespace {

struct Choice {
  const char* name;
  const Entry* table;
  const char* bfloat;  // what it computes products of bfloat16 by; empty where float32 alone serves
};

/** The best instruction set of this CPU, or the one asked for if it can run here. */
Choice choose(const char* wanted) {
  auto free = [wanted](const char* name) { return wanted[0] == 0 || std::strcmp(wanted, name) == 0; };
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
#ifdef SAX_WITH_AVX512
  if (free("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return {"avx512", avx512::table, avx512::bfloatUnit()};
#endif
#ifdef SAX_WITH_AVX2
  if (free("avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2", avx2::table, avx2::bfloatUnit()};
#endif
#ifdef SAX_WITH_NEON
  if (free("neon")) return {"neon", neon::table, neon::bfloatUnit()};
#endif
#ifdef SAX_WITH_PORTABLE
  if (free("portable")) return {"portable", portable::table, portable::bfloatUnit()};
#endif
  return {nullptr, nullptr, ""};
}

/** One per Node environment: the block of parameters that its JavaScript writes before each call. */
struct Instance {
  double params[kMaxParams];
};

napi_value fail(napi_env env, const char* why) {
  napi_throw_error(env, nullptr, why);
  return nullptr;
}

napi_value run(napi_env env, napi_callback_info info) {
  size_t count = kMaxBuffers;
  napi_value args[kMaxBuffers];
  void* data;
  if (napi_get_cb_info(env, info, &count, args, nullptr, &data) != napi_ok) return nullptr;
  const Entry* entry = static_cast<const Entry*>(data);
  if (count != static_cast<size_t>(entry->buffers)) return fail(env, "native kernel: wrong number of arrays");
  Instance* instance;
  napi_get_instance_data(env, reinterpret_cast<void**>(&instance));
  Call call;
  call.p = instance->params;
  call.count = entry->buffers;
  call.error = nullptr;
  for (int i = 0; i < entry->buffers; i++) {
    napi_typedarray_type type;
    Buf& buf = call.buf[i];
    if (napi_get_typedarray_info(env, args[i], &type, &buf.length, &buf.data, nullptr, nullptr) != napi_ok)
      return fail(env, "native kernel: an argument is not a typed array");
    if (type == napi_float32_array) buf.type = F32;
    else if (type == napi_int32_array) buf.type = I32;
    else if (type == napi_uint8_array) buf.type = U8;
    else if (type == napi_float64_array) buf.type = F64;
    else return fail(env, "native kernel: only Float32Array, Float64Array, Int32Array and Uint8Array are served");
  }
  entry->run(call);
  return call.error ? fail(env, call.error) : nullptr;
}

/**
 * largePages(array): asks for pages of 2 MiB where the whole of one lies inside the array, before it is first touched:
 * kernels that walk a large matrix across its rows spend much of their time on address translation otherwise.
 */
napi_value largePages(napi_env env, napi_callback_info info) {
  size_t count = 1, length;
  napi_value array;
  void* data;
  if (napi_get_cb_info(env, info, &count, &array, nullptr, nullptr) != napi_ok || count != 1 ||
      napi_get_arraybuffer_info(env, array, &data, &length) != napi_ok)
    return fail(env, "native large pages: expected an ArrayBuffer");
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t page = uintptr_t{1} << 21;
  uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  uintptr_t end = (reinterpret_cast<uintptr_t>(data) + length) / page * page;
  // Advice only: a system without such pages says no, and nothing is lost.
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
  return nullptr;
}

/** release(array): gives the memory of an ArrayBuffer back at once, not when garbage is next collected, and leaves it without any. */
napi_value release(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value array;
  if (napi_get_cb_info(env, info, &count, &array, nullptr, nullptr) != napi_ok || count != 1 ||
      napi_detach_arraybuffer(env, array) != napi_ok)
    return fail(env, "native release: expected an ArrayBuffer");
  return nullptr;
}

/** callers(delta): this many more threads (or fewer, when negative) call kernels all the time. */
napi_value callers(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value delta;
  int32_t value;
  if (napi_get_cb_info(env, info, &count, &delta, nullptr, nullptr) != napi_ok || count != 1 ||
      napi_get_value_int32(env, delta, &value) != napi_ok)
    return fail(env, "native callers: expected a number");
  addCallers(value);
  return nullptr;
}

/** start(threads, isa): starts the pool, returns { isa, bfloat, threads, params, kernels… }. */
napi_value start(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  int32_t threads = 1;
  char wanted[16] = "";
  if (count != 2 || napi_get_value_int32(env, args[0], &threads) != napi_ok ||
      napi_get_value_string_utf8(env, args[1], wanted, sizeof wanted, nullptr) != napi_ok)
    return fail(env, "native start: expected (threads, instruction set)");
  Choice choice = choose(wanted);
  if (!choice.table) return fail(env, "native start: this instruction set was not built or does not run on this CPU");
  startPool(threads < 1 ? 1 : threads);
#if defined(__GLIBC__)
  // Large arrays that are freed go back to the system: glibc would come to keep up to 32 MiB of each in its heaps, one a
  // thread, between smaller ones: gigabytes in a long run. Arrays that are wanted again soon are kept by JavaScript.
  mallopt(M_MMAP_THRESHOLD, 1 << 22);
#endif

  Instance* instance;
  napi_get_instance_data(env, reinterpret_cast<void**>(&instance));
  napi_value result, value, buffer;
  napi_create_object(env, &result);
  napi_create_string_utf8(env, choice.name, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "isa", value);
  napi_create_string_utf8(env, choice.bfloat, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "bfloat", value);
  napi_create_int32(env, threadCount(), &value);
  napi_set_named_property(env, result, "threads", value);
  if (!instance) {
    // The block is an ArrayBuffer of V8's, kept alive by the export object that holds it.
    void* memory;
    napi_create_arraybuffer(env, sizeof(Instance), &memory, &buffer);
    napi_set_instance_data(env, memory, nullptr, nullptr);
    napi_create_typedarray(env, napi_float64_array, kMaxParams, buffer, 0, &value);
    napi_ref keep;
    napi_create_reference(env, value, 1, &keep);
  } else {
    return fail(env, "native start: already started in this environment");
  }
  napi_set_named_property(env, result, "params", value);
  napi_create_function(env, "largePages", NAPI_AUTO_LENGTH, largePages, nullptr, &value);
  napi_set_named_property(env, result, "largePages", value);
  napi_create_function(env, "release", NAPI_AUTO_LENGTH, release, nullptr, &value);
  napi_set_named_property(env, result, "release", value);
  napi_create_function(env, "callers", NAPI_AUTO_LENGTH, callers, nullptr, &value);
  napi_set_named_property(env, result, "callers", value);
  for (const Entry* e = choice.table; e->name; e++) {
    napi_create_function(env, e->name, NAPI_AUTO_LENGTH, run, const_cast<Entry*>(e), &value);
    napi_set_named_property(env, result, e->name, value);
  }
  return result;
}

/** Sleeping workers must not lose their code when the last worker_thread that loaded the addon ends. */
void stayLoaded() {
#if !defined(_WIN32)
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
#endif
}

}  // namespace
}  // namespace sax

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  sax::stayLoaded();
  napi_value value;
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, sax::start, nullptr, &value);
  napi_set_named_property(env, exports, "start", value);
  return exports;
}
