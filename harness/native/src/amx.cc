/** @file Whether the tiles of AMX can be used: by the CPU, by the operating system, and with the leave that Linux wants asked for. */
#include "call.h"

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

}  // namespace

bool mayUseTiles() {
  static const bool may = askForTiles();
  return may;
}

}  // namespace sax
