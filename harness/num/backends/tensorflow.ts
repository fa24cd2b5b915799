/** @file TensorFlow by tfjs-node: its CUDA package, else that for CPUs. Both are optional. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import nodeUtil from 'node:util';
import { dropSegmentsOutOfRange } from '../kernels/unsorted-segment-sum.ts';
import { tf } from '../tf.ts';
import { cpuModel, defineBackend, importPackage, makeCurrent, type RunningBackend, reasonOf } from './record.ts';

/** tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`. */
function restoreNodeUtil(): void {
  const util = nodeUtil as unknown as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}

/**
 * What npm calls installed may lack the addon, which its install script gets or builds; importing it loads all of TensorFlow.js,
 * for good, before it looks. @throws Error where one or the other is missing.
 */
function checkInstalled(name: string): void {
  const lib = path.join(path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'lib');
  const builds = existsSync(lib) ? readdirSync(lib) : [];
  if (builds.some((build) => existsSync(path.join(lib, build, 'tfjs_binding.node')))) return;
  throw new Error('installed without its addon tfjs_binding.node');
}

async function load(): Promise<RunningBackend> {
  restoreNodeUtil();
  // Without it TensorFlow takes the whole GPU memory at start, and a second process on the GPU cannot start.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const failures: string[] = [];
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      checkInstalled(name);
      await importPackage(name);
      await makeCurrent('tensorflow');
      dropSegmentsOutOfRange();
      const backend = tf.backend() as { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
      const gpu = backend.isUsingGpuDevice === true;
      const version = backend.binding?.TF_Version ?? 'unknown';
      const device = gpu ? 'GPU (CUDA)' : cpuModel();
      const detail = `${name}, ${gpu ? 'GPU' : 'CPU'}`;
      return { says: { device, version, detail, arithmetic: `${detail}, ${version}, ${device}` } };
    } catch (error) {
      failures.push(`${name}: ${tensorflowReason(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** Tells apart what npm did not install, what was not built and what is built but finds no TensorFlow to load. */
function tensorflowReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'MODULE_NOT_FOUND') return 'not installed';
  if (code === 'ERR_DLOPEN_FAILED') return `its addon is there but cannot load: ${reasonOf(error)}`;
  return reasonOf(error);
}

export const tensorflow = defineBackend({
  load,
  mend: 'npm install @tensorflow/tfjs-node-gpu (or @tensorflow/tfjs-node), or npm rebuild it where it is installed',
});
