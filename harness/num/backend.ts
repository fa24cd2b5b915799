/** @file Chooses, loads and names the TensorFlow.js backend. The only file that imports one. */
import os from 'node:os';
import nodeUtil from 'node:util';
import type * as Tf from '@tensorflow/tfjs-core';
import { UserError } from '../errors.ts';
import { registerGradients } from './gradients/index.ts';
import { lendCpuKernels } from './kernels/cpu-bridge.ts';
import { registerSparseDecode } from './kernels/sparse-decode.ts';
import { type StatisticsKernels, setStatisticsKernels } from './kernels/statistics.ts';
import { dropSegmentsOutOfRange, registerUnsortedSegmentSum } from './kernels/unsorted-segment-sum.ts';
import { registerWasmMatMul } from './kernels/wasm-matmul.ts';
import { setTf, tf } from './tf.ts';

export type BackendName = 'tensorflow' | 'native' | 'wasm' | 'cpu';
export type BackendChoice = 'auto' | BackendName;

/** What a backend that loaded says about itself. */
export interface LoadedBackend {
  /** The processor that computes, in words: a CPU model or a GPU. */
  device: string;
  /** Version of the package or library that computes. */
  version: string;
  /** Instruction set, threads, package: what else decides the speed. */
  detail: string;
  /** What decides the last bits of every number: part of the keys of all steps. */
  arithmetic: string;
}

/** The backend in use, as results record it. */
export interface BackendInfo extends LoadedBackend {
  name: BackendName;
  /** Backends that come before this one in the order of choice, and why each could not be used. */
  rejected: { name: BackendName; reason: string }[];
}

/** One line of `saxbench doctor`. */
export type BackendProbe = { name: BackendName } & (
  | ({ available: true } & LoadedBackend)
  | { available: false; reason: string }
);

/** JavaScript's own functions, such as Math.exp: they change with the engine, not with its patches. */
const javascript = () => `V8 ${process.versions.v8.split('.').slice(0, 2).join('.')}, ${process.arch}`;

const cpuModel = () => os.cpus()[0]?.model.trim() ?? `unknown ${process.arch} CPU`;

/** CommonJS packages arrive under `default` when imported from an ES module. */
async function importPackage<T>(specifier: string): Promise<T> {
  const loaded = (await import(specifier)) as T & { default?: T };
  return loaded.default ?? loaded;
}

/** tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`. */
function restoreNodeUtil(): void {
  const util = nodeUtil as unknown as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}

async function loadTensorflow(): Promise<LoadedBackend> {
  restoreNodeUtil();
  // Without it TensorFlow takes the whole GPU memory at start, and a second process on the GPU cannot start.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const failures: string[] = [];
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      await importPackage(name);
      await use('tensorflow');
      dropSegmentsOutOfRange();
      const backend = tf.backend() as { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
      const gpu = backend.isUsingGpuDevice === true;
      const version = backend.binding?.TF_Version ?? 'unknown';
      const device = gpu ? 'GPU (CUDA)' : cpuModel();
      const detail = `${name}, ${gpu ? 'GPU' : 'CPU'}`;
      return { device, version, detail, arithmetic: `${detail}, ${version}, ${device}` };
    } catch (error) {
      failures.push(`${name}: ${tensorflowReason(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** Tells apart what npm did not install, what was not built and what is built but finds no TensorFlow to load. */
function tensorflowReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND') return 'not installed';
  if (code === 'ERR_DLOPEN_FAILED') return `its addon is there but cannot load: ${reasonOf(error)}`;
  const reason = reasonOf(error);
  return reason.includes('can not be found at path') ? 'installed without its addon tfjs_binding.node' : reason;
}

/** Once it has loaded. */
let ofNative: StatisticsKernels | undefined;

async function loadNative(): Promise<LoadedBackend> {
  // It takes over the kernels of the CPU backend that it has none of its own for.
  await loadCpuPackage();
  const native = await import('../native/index.ts');
  const { isa, threads, statistics, digest } = await native.register(tf);
  ofNative = statistics;
  await use('native');
  // The number of threads decides no bit, by construction of the kernels.
  const arithmetic = `${isa}, ${digest}, ${tf.version_core}`;
  return { device: cpuModel(), version: tf.version_core, detail: `${isa}, ${threads} threads`, arithmetic };
}

async function loadWasm(): Promise<LoadedBackend> {
  await loadCpuPackage();
  await importPackage('@tensorflow/tfjs-backend-wasm');
  registerUnsortedSegmentSum('wasm');
  registerSparseDecode('wasm');
  lendCpuKernels('wasm');
  registerWasmMatMul();
  await use('wasm');
  const simd = tf.env().getBool('WASM_HAS_SIMD_SUPPORT') ? 'SIMD' : 'no SIMD';
  const [version, detail] = [tf.version_core, `WebAssembly, ${simd}, 1 thread`];
  return { device: cpuModel(), version, detail, arithmetic: `${simd}, ${version}` };
}

async function loadCpu(): Promise<LoadedBackend> {
  await loadCpuPackage();
  await use('cpu');
  const version = tf.version_core;
  return { device: cpuModel(), version, detail: 'JavaScript, 1 thread', arithmetic: version };
}

async function loadCpuPackage(): Promise<void> {
  await importPackage('@tensorflow/tfjs-backend-cpu');
  registerUnsortedSegmentSum('cpu');
  registerSparseDecode('cpu');
}

/** The order of choice. */
const BACKENDS: readonly { name: BackendName; load: () => Promise<LoadedBackend>; mend: string }[] = [
  {
    name: 'tensorflow',
    load: loadTensorflow,
    mend: 'npm install @tensorflow/tfjs-node-gpu (or @tensorflow/tfjs-node), or npm rebuild it where it is installed',
  },
  { name: 'native', load: loadNative, mend: 'install a C++17 compiler and run npm rebuild' },
  { name: 'wasm', load: loadWasm, mend: 'npm install' },
  { name: 'cpu', load: loadCpu, mend: 'npm install' },
];

/** A backend loads once in a process, and a failure stays a failure: tfjs forgets a backend whose start failed. */
const attempts = new Map<BackendName, Promise<LoadedBackend | { reason: string }>>();

async function use(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error('TensorFlow.js could not start it');
  await tf.ready();
  setStatisticsKernels(name === 'native' ? ofNative : undefined);
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]!.trim();
}

async function attempt(name: BackendName, load: () => Promise<LoadedBackend>) {
  let outcome = attempts.get(name);
  if (!outcome) {
    outcome = load().catch((error: unknown) => ({ reason: reasonOf(error) }));
    attempts.set(name, outcome);
  }
  return await outcome;
}

async function loadCore(): Promise<void> {
  if (tf) return;
  const core = await importPackage<typeof Tf>('@tensorflow/tfjs-core');
  core.enableProdMode();
  setTf(core);
}

/**
 * Loads TensorFlow.js and makes `tf` usable. `auto` (the default) takes the first backend that starts, in the order
 * tensorflow, native, wasm, cpu. A later call may switch to another backend; tensors are moved by tfjs on use.
 *
 * @throws UserError when a backend asked for by name is unknown or does not start, with the reason.
 */
export async function initBackend(choice: BackendChoice = 'auto'): Promise<BackendInfo> {
  const wanted = choice === 'auto' ? BACKENDS : BACKENDS.filter(({ name }) => name === choice);
  if (wanted.length === 0) {
    const known = ['auto', ...BACKENDS.map(({ name }) => name)].join(', ');
    throw new UserError(`backend: expected one of ${known}; found '${choice}'.`);
  }
  await loadCore();
  const rejected: BackendInfo['rejected'] = [];
  for (const { name, load } of wanted) {
    const outcome = await attempt(name, load);
    if ('reason' in outcome) {
      rejected.push({ name, reason: outcome.reason });
      continue;
    }
    await use(name);
    // After loading, so that they hold on every backend: tfjs-node brings another set.
    registerGradients();
    return { name, ...outcome, arithmetic: `${name}: ${outcome.arithmetic}; ${javascript()}`, rejected };
  }
  const [first] = rejected;
  throw new UserError(
    `backend ${first!.name}: not available here: ${first!.reason}. ` +
      `To mend: ${wanted[0]!.mend}; or let saxbench choose with --backend auto.`,
  );
}

/** Tries every backend and says what each is or why it is not available. The backend in use stays in use. */
export async function probeBackends(): Promise<BackendProbe[]> {
  await loadCore();
  const current = tf.getBackend() as BackendName | undefined;
  const probes: BackendProbe[] = [];
  for (const { name, load } of BACKENDS) {
    const outcome = await attempt(name, load);
    probes.push(
      'reason' in outcome ? { name, available: false, reason: outcome.reason } : { name, available: true, ...outcome },
    );
  }
  if (current && attempts.has(current)) await use(current);
  return probes;
}

/**
 * Runs one of the parts of a run that share the cores. Where every core has one, the native kernels stay on the core of
 * the part that calls them; their results do not depend on it.
 */
export async function sharingCores<T>(run: () => Promise<T>): Promise<T> {
  if (tf.getBackend() !== 'native') return run();
  const { addCallers } = await import('../native/index.ts');
  addCallers(1);
  try {
    return await run();
  } finally {
    addCallers(-1);
  }
}
