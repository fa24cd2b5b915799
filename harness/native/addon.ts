/** @file Finds and starts the compiled addon, and types what it exports. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';

/** A variable of the environment that the backend reads has a value that it does not take. */
export class WrongVariable extends UserError {}

/** The typed arrays that kernels take. */
export type Values = Float32Array | Int32Array | Uint8Array;
type Kernel = (...arrays: (Values | Float64Array)[]) => void;

/** What the addon computes. */
const KERNELS = [
  'matMul',
  'binary',
  'unary',
  'powScalar',
  'cast',
  'reduction',
  'cumulativeSum',
  'copy',
  'fill',
  'select',
  'gather',
  'segmentSum',
  'segmentSumAlong',
  'tuples',
  'oneHot',
  'softmax',
  'softmaxGrad',
  'logSumExp',
  'drawRows',
  'norm',
  'normGrad',
  'attention',
  'attentionGrad',
  'cacheWrite',
  'rotary',
  'activate',
  'activateGrad',
  'block',
  'packLinear',
  'packWeight',
  'unpackWeight',
  'packedRows',
  'linear',
  'packPairs',
  'unpackPairs',
  'pairedRows',
  'pairedLinear',
  'bfloatMatMul',
  'bfloatEncodeGrad',
  'topK',
  'kronEncode',
  'encodeTopK',
  'encodeTopKGrouped',
  'encodeAbove',
  'encodeBatchTopK',
  'screening',
  'adamStep',
  'adamSumsStep',
  'gradSquares',
  'sparseDecode',
  'sparseDots',
  'sparseOuter',
  'sparseOuterColumns',
  'sparseDecodeGrad',
  'poolRows',
  'sumLengths',
  'matrixTimes',
  'transposeTimes',
  'curvatureTimes',
  'outerSums',
  'cholesky',
  'choleskySolve',
  'compareRows',
  'countCodes',
  'encodeGrad',
  'squaredErrors',
  'squaredErrorGrad',
  'firing',
  'jump',
  'jumpGrad',
  'band',
  'thresholdCounts',
] as const;

export type KernelName = (typeof KERNELS)[number];

/** The started addon. A kernel reads its shapes and scalars from `params`, written just before the call. */
export interface Addon extends Record<KernelName, Kernel> {
  isa: string;
  /** What products of bfloat16 are computed by (`amx_bf16`, `avx512_bf16`); empty where float32 alone serves. */
  bfloat: string;
  threads: number;
  params: Float64Array;
  /** Asks for large pages under a buffer not yet written to; advice that a system may ignore. */
  largePages(buffer: ArrayBuffer): void;
  /** Gives the memory of a buffer back at once; the buffer has none then. */
  release(buffer: ArrayBuffer): void;
  /** Counts the threads that call kernels all the time: with one on every core kernels do not spread over others. */
  callers(delta: number): void;
}

/** The folder of package.json, above this file both in the sources and in dist/. */
function packageRoot(): string {
  let dir = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(dir, 'package.json'))) {
    const parent = path.dirname(dir);
    if (parent === dir) throw new Error('native backend: no package.json above the module.');
    dir = parent;
  }
  return dir;
}

/** Where the build puts the addon; SAXBENCH_NATIVE_ADDON names another file (the sanitized build). */
export function addonPath(): string {
  return process.env['SAXBENCH_NATIVE_ADDON'] ?? path.join(packageRoot(), 'build', 'native', 'saxbench.node');
}

/** SHA-256 of the compiled kernels: of their sources, the compiler and its flags. */
export const addonDigest = (): string => createHash('sha256').update(readFileSync(addonPath())).digest('hex');

/** CPU quota of the control group in cores, from cgroup v2; infinity when there is none. */
function cgroupCores(): number {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ');
    return quota === 'max' ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(Number(quota) / Number(period)));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

const MOST_THREADS = 64;

/**
 * SAXBENCH_THREADS, or the cores that affinity and control group allow; at most 64.
 *
 * @throws WrongVariable where it is something else.
 */
export function allowedThreads(): number {
  const asked = process.env['SAXBENCH_THREADS'];
  if (!asked) return Math.min(MOST_THREADS, os.availableParallelism(), cgroupCores());
  if (/^[1-9]\d*$/.test(asked)) return Math.min(MOST_THREADS, Number(asked));
  throw new WrongVariable(`SAXBENCH_THREADS: expected a whole number of at least 1, found '${asked}'`);
}

interface Starter {
  /** The CPU's best instruction set for ''. */
  start(threads: number, isa: string): Addon;
}

function startOn(loaded: Starter, threads: number, isa: string): Addon {
  try {
    return loaded.start(threads, isa);
  } catch (error) {
    if (!isa || !/instruction set was not built/.test((error as Error).message)) throw error;
    throw new WrongVariable(
      `SAXBENCH_ISA: expected an instruction set that was built and runs on this CPU, found '${isa}'`,
    );
  }
}

let started: Addon | undefined;

/** What SAXBENCH_BFLOAT may name; amx.cc reads it. */
const BFLOAT_UNITS = ['amx_bf16', 'avx512_bf16'];

/**
 * Loads and starts the addon, once per Node environment. SAXBENCH_ISA names an instruction set in place of the CPU's best,
 * SAXBENCH_BFLOAT=avx512_bf16 leaves out the tiles of AMX: what other CPUs compute, on this one.
 *
 * @throws WrongVariable for one of these variables; Error with the reason, when it is not built or cannot run.
 */
export function startAddon(): Addon {
  if (started) return started;
  const file = addonPath();
  if (!existsSync(file)) {
    throw new Error(`${file} is not built`);
  }
  const unit = process.env['SAXBENCH_BFLOAT'];
  if (unit && !BFLOAT_UNITS.includes(unit))
    throw new WrongVariable(`SAXBENCH_BFLOAT: expected ${BFLOAT_UNITS.join(' or ')}, found '${unit}'`);
  const loaded = createRequire(import.meta.url)(file) as Starter;
  const addon = startOn(loaded, allowedThreads(), process.env['SAXBENCH_ISA'] ?? '');
  const missing = KERNELS.find((name) => typeof addon[name] !== 'function');
  if (missing !== undefined) {
    throw new Error(`${file} was built from older sources, without '${missing}'`);
  }
  started = addon;
  return started;
}
