/** @file Programs of ours in WGSL, run by tfjs's backend: names of buffers and uniforms are those that it gives. */
import type * as Tf from '@tensorflow/tfjs-core';
import { declining, sizeOf } from '../num/kernels/declining.ts';
import type { Program, WebGPUBackend } from './backend.ts';

export { sharing, sizeOf } from '../num/kernels/declining.ts';

/** What tfjs hands to a kernel, loosely typed: inputs by name (or a list), attributes by name. */
export interface Args {
  inputs: Record<string, Tf.TensorInfo>;
  attrs: Record<string, unknown>;
  backend: WebGPUBackend;
}

/** Everything that our kernels need. */
export interface Context {
  tf: typeof Tf;
}

/** Threads of a workgroup unless a program says otherwise; every adapter has 256. */
const THREADS = 64;

export interface Wgsl {
  /** One for each text. */
  name: string;
  /** Inputs by name, in the order of the call; each is a flat `array<f32>` or `array<i32>`. */
  inputs: string[];
  /** Uniforms of its own by name, `i32` each, or `f32` or `vec4<i32>` where it says so. */
  uniforms: Record<string, number | readonly number[] | { f32: number }>;
  outputShape: number[];
  dtype: 'float32' | 'int32' | 'bool';
  /** Threads in a workgroup. */
  threads?: number;
  /** Workgroups; left out: a thread for each element of the output. */
  groups?: number;
  /** Declarations before `main`. */
  head?: string;
  /** Body of `fn main(index : i32)`, with `index` counting all threads; it writes `result` below `uniforms.size`. */
  body: string;
}

function typeOf(uniform: Wgsl['uniforms'][string]): string {
  if (typeof uniform === 'number') return 'i32';
  return 'f32' in uniform ? 'f32' : 'vec4<i32>';
}

const flat = (x: Tf.TensorInfo): Tf.TensorInfo => ({ ...x, shape: [sizeOf(x.shape)] });

/** Runs a program; a new tensor. tfjs sees flat tensors only, so that a text is compiled once for all shapes. */
export function run(
  backend: WebGPUBackend,
  inputs: Tf.TensorInfo[],
  { name, inputs: names, uniforms, outputShape, dtype, threads = THREADS, groups, head = '', body }: Wgsl,
): Tf.TensorInfo {
  const program: Program = {
    variableNames: names,
    outputShape: [sizeOf(outputShape)],
    uniforms: Object.entries(uniforms)
      .map(([key, value]) => `${key} : ${typeOf(value)},`)
      .join(' '),
    workgroupSize: [threads, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: [groups ?? Math.ceil(sizeOf(outputShape) / threads), 1, 1],
    shaderKey: `saxbench ${name}`,
    size: true,
    ours: true,
    getUserCode: () => `${head}\nfn main(index : i32) {\n${body}\n}`,
  };
  const data = Object.values(uniforms).map((value) => {
    if (typeof value === 'number') return { type: 'int32' as const, data: [value] };
    return 'f32' in value
      ? { type: 'float32' as const, data: [value.f32] }
      : { type: 'int32' as const, data: [...value] };
  });
  return { ...backend.runWebGPUProgram(program, inputs.map(flat), dtype, data), shape: outputShape };
}

/** A kernel; undefined declines the case. */
export type OwnKernel = (args: Args) => Tf.TensorInfo | Tf.TensorInfo[] | undefined;

/** Registers `kernel` for the backend; what it declines goes to tfjs's kernel of that name. */
export function override({ tf }: Context, kernelName: string, kernel: OwnKernel): void {
  const theirs = tf.getKernel(kernelName, 'webgpu');
  if (theirs) tf.unregisterKernel(kernelName, 'webgpu');
  tf.registerKernel({
    kernelName,
    backendName: 'webgpu',
    kernelFunc: declining(['webgpu', kernelName], kernel, theirs?.kernelFunc),
  });
}
