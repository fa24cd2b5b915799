/** @file The instruction sets that the kernels are compiled for on this architecture, with their compiler flags. */

const AVX2 = ['-mavx2', '-mfma', '-mbmi', '-mbmi2'];
const AVX512 = ['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mprefer-vector-width=512'];

/** Compiler flags by instruction set, the plainest first; only those named in `only`, when given. */
export function instructionSets(only) {
  const byArchitecture = {
    x64: { portable: [], avx2: AVX2, avx512: [...AVX2, ...AVX512] },
    arm64: { neon: [] },
  };
  const all = Object.entries(byArchitecture[process.arch] ?? { portable: [] });
  return Object.fromEntries(only ? all.filter(([isa]) => only.includes(isa)) : all);
}
