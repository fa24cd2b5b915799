/** @file TensorFlow by tfjs-node, which is optional: as `doctor --install tensorflow` made it, else as npm installed it. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import nodeUtil from 'node:util';
import { installedAt } from '../../tensorflow/place.ts';
import { dropSegmentsOutOfRange } from '../kernels/unsorted-segment-sum.ts';
import { tf } from '../tf.ts';
import { cpuModel, defineBackend, importPackage, makeCurrent, type RunningBackend, reasonOf } from './record.ts';

/** tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`. */
function restoreNodeUtil(): void {
  const util = nodeUtil as unknown as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}

/** A tfjs-node that may be there. */
interface Candidate {
  name: string;
  /** The file from which it is looked for, as `require` does. */
  from: string;
}

/** What `doctor --install` made, then what npm installed beside saxbench. */
const candidates = (): Candidate[] => [
  ...installedAt(tf.version_core, process.env).map((folder) => ({
    name: '@tensorflow/tfjs-node',
    from: path.join(folder, 'package.json'),
  })),
  ...['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].map((name) => ({ name, from: import.meta.url })),
];

/**
 * What npm calls installed may lack the addon, which its install script gets or builds; importing it loads all of TensorFlow.js,
 * for good, before it looks.
 *
 * @returns The package's main file.
 * @throws Error where one or the other is missing.
 */
function findInstalled({ name, from }: Candidate): string {
  const require = createRequire(from);
  const lib = path.join(path.dirname(require.resolve(`${name}/package.json`)), 'lib');
  const builds = existsSync(lib) ? readdirSync(lib) : [];
  if (builds.some((build) => existsSync(path.join(lib, build, 'tfjs_binding.node')))) return require.resolve(name);
  throw new Error('installed without its addon tfjs_binding.node');
}

/** NVIDIA's driver makes a device for each GPU (of Linux under Windows: one for all); on Windows itself TensorFlow is asked. */
function cudaDevice(): boolean {
  if (process.platform !== 'linux') return process.platform === 'win32';
  return readdirSync('/dev').some((name) => /^(nvidia\d+|dxg)$/.test(name));
}

async function load(): Promise<RunningBackend> {
  restoreNodeUtil();
  // Without it TensorFlow takes the whole GPU memory at start, and a second process on the GPU cannot start.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const failures: string[] = [];
  for (const candidate of candidates()) {
    const { name } = candidate;
    try {
      await importPackage(pathToFileURL(findInstalled(candidate)).href);
      await makeCurrent('tensorflow');
      dropSegmentsOutOfRange();
      const backend = tf.backend() as { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
      const gpu = backend.isUsingGpuDevice === true;
      const version = backend.binding?.TF_Version ?? 'unknown';
      const device = gpu ? 'GPU (CUDA)' : cpuModel();
      const detail = `${name}, ${gpu ? 'GPU' : 'CPU'}`;
      return { leads: gpu, says: { device, version, detail, arithmetic: `${detail}, ${version}, ${device}` } };
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
  mayLead: cudaDevice,
  chosen: 'with a CUDA device first, else after native, which is faster on a CPU',
  mend: "'saxbench doctor --install tensorflow' (Linux on x64; with a CUDA device --cuda), or npm install @tensorflow/tfjs-node",
});
