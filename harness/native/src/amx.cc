/** @file Whether the tiles of AMX can be used: by the CPU, by the operating system, and with the leave that Linux wants asked for. */
#include "call.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace sax {
namespace {

/** The leave holds for the process, threads started before and after included. An older kernel knows no such call and refuses. */
bool askForTiles() {
#if defined(__x86_64__) && defined(__linux__) && defined(SYS_arch_prctl)
  constexpr unsigned kBfloatTiles = 1u << 22, kTiles = 1u << 24;
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & kBfloatTiles) == 0 || (d & kTiles) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

/** SAXBENCH_BFLOAT=avx512_bf16: as on a CPU that has dot products of bfloat16 and no tiles. */
bool areWanted() {
  const char* unit = std::getenv("SAXBENCH_BFLOAT");
  return unit == nullptr || *unit == 0 || std::strcmp(unit, "amx_bf16") == 0;
}

}  // namespace

bool mayUseTiles() {
  static const bool may = areWanted() && askForTiles();
  return may;
}

}  // namespace sax
