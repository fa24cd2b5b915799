/** @file Our own backend in C++, which `npm ci` builds where there is a compiler. */
import type { StatisticsKernels } from '../kernels/statistics.ts';
import { tf } from '../tf.ts';
import { loadCpuPackage } from './cpu.ts';
import { type Backend, cpuModel, type LoadedBackend, makeCurrent } from './record.ts';

/** Once it has loaded. */
let ofNative: StatisticsKernels | undefined;

async function load(): Promise<LoadedBackend> {
  // It takes over the kernels of the CPU backend that it has none of its own for.
  await loadCpuPackage();
  const native = await import('../../native/index.ts');
  const { isa, threads, statistics, digest } = await native.register(tf);
  ofNative = statistics;
  await makeCurrent('native');
  // The number of threads decides no bit, by construction of the kernels.
  const arithmetic = `${isa}, ${digest}, ${tf.version_core}`;
  return { device: cpuModel(), version: tf.version_core, detail: `${isa}, ${threads} threads`, arithmetic };
}

export const native: Backend = {
  load,
  mend: 'install a C++17 compiler and run npm rebuild',
  statistics: () => ofNative,
  async addCallers(change) {
    const { addCallers } = await import('../../native/index.ts');
    addCallers(change);
  },
};
