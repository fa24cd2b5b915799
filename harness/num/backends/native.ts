/** @file Our own backend in C++, which `npm ci` builds where there is a compiler. */
import { tf } from '../tf.ts';
import { loadCpuPackage } from './cpu.ts';
import { cpuModel, defineBackend, makeCurrent, type RunningBackend } from './record.ts';

async function load(): Promise<RunningBackend> {
  // It takes over the kernels of the CPU backend that it has none of its own for.
  await loadCpuPackage();
  const native = await import('../../native/index.ts');
  const { isa, threads, statistics, digest } = await native.register(tf);
  await makeCurrent('native');
  // The number of threads decides no bit, by construction of the kernels.
  const arithmetic = `${isa}, ${digest}, ${tf.version_core}`;
  const says = { device: cpuModel(), version: tf.version_core, detail: `${isa}, ${threads} threads`, arithmetic };
  return { says, statistics, addCallers: native.addCallers };
}

export const native = defineBackend({
  load,
  mend: "run 'node harness/native/build.mjs --force' (needs g++ or clang++)",
});
