/** @file Our own backend in C++, which `npm ci` builds where there is a compiler. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { roundsFactors } from '../precision.ts';
import { tf } from '../tf.ts';
import { loadCpuPackage } from './cpu.ts';
import { cpuModel, defineBackend, makeCurrent, NotHere, type RunningBackend } from './record.ts';

async function load(): Promise<RunningBackend> {
  // It takes over the kernels of the CPU backend that it has none of its own for.
  await loadCpuPackage();
  const native = await import('../../native/index.ts');
  const { isa, bfloat, threads, statistics, digest } = await native.register(tf, roundsFactors).catch((error) => {
    // To build it anew would not help.
    throw error instanceof native.WrongVariable ? new NotHere(error.message, 'set it so, or unset it', true) : error;
  });
  await makeCurrent('native');
  // Neither threads nor what screens in bfloat16 decide a bit, by construction of the kernels.
  const arithmetic = `${isa}, ${digest}, ${tf.version_core}`;
  const detail = `${bfloat ? `${isa} with ${bfloat}` : isa}, ${threads} threads`;
  const says = { device: cpuModel(), version: tf.version_core, detail, arithmetic };
  return { says, ...(bfloat && { bfloat }), statistics, addCallers: native.addCallers };
}

/** The script that builds it, as seen from the user's folder. It is not compiled: code in dist/ finds it beside dist/. */
function buildScript(): string {
  const places = ['../../native/build.mjs', '../../../../harness/native/build.mjs'];
  const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return relative(process.cwd(), files.find((file) => existsSync(file)) ?? files[0]!);
}

export const native = defineBackend({
  load,
  chosen: 'the fastest on a CPU',
  mend: `run 'node ${buildScript()} --force' (needs g++ or clang++)`,
});
