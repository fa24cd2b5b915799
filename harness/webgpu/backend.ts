/**
 * @file The backend class: tfjs's WebGPU backend, which reads synchronously through a canvas that Node lacks, silently passes over
 * what went wrong on the device, and computes with integers as float32; here it waits for Dawn, and refuses.
 */
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import type { Device } from './device.ts';
import { waitWhile } from './events.ts';

type Values = Float32Array | Int32Array | Uint8Array;

/** What tfjs keeps of a tensor. */
interface TensorData {
  dtype: string;
  shape: number[];
  values?: Values | null;
  resource?: GPUBuffer | null;
}

/** A program as tfjs's backend runs it: WGSL with the layout that tfjs makes of inputs, output and uniforms. */
export interface Program {
  variableNames: string[];
  outputShape: number[];
  /** Members of the uniform struct behind tfjs's own: `name : type,`. */
  uniforms?: string;
  workgroupSize: [number, number, number];
  dispatchLayout: { x: number[]; y?: number[]; z?: number[] };
  dispatch: [number, number, number];
  /** One for each text of the shader. */
  shaderKey: string;
  /** Whether the uniform `size` stands in the shader. */
  size?: boolean;
  /** Written here: it computes with integers as integers. */
  ours?: true;
  getUserCode(): string;
}

export interface UniformData {
  type: 'int32' | 'float32';
  data: number[];
}

/** The part of tfjs's `WebGPUBackend` that we use. */
export interface TfjsWebGPUBackend extends KernelBackend {
  device: GPUDevice;
  queue: GPUQueue;
  commandEncoder: GPUCommandEncoder | null;
  tensorMap: { get(dataId: object): TensorData; has(dataId: object): boolean };
  bufferManager: BufferManager;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  shouldExecuteOnCPU(inputs: TensorInfo[]): boolean;
  readSync(dataId: object): Values;
  read(dataId: object): Promise<Values>;
  uploadToGPU(dataId: object): void;
  makeTensorInfo(shape: number[], dtype: string, values?: Values): TensorInfo;
  runWebGPUProgram(
    program: Program,
    inputs: TensorInfo[],
    dtype: string,
    uniforms?: UniformData[],
    output?: TensorInfo,
  ): TensorInfo;
}

/** What ours adds. */
export interface WebGPUBackend extends TfjsWebGPUBackend {
  /** The largest magnitude that an int32 tensor can hold, as far as it is known; 1 of those that tfjs's kernels made. */
  boundOf(dataId: object): number;
  setBound(dataId: object, bound: number): void;
  /** `num/read-together.ts` asks. */
  readonly readsWait: true;
}

interface BufferManager {
  numBytesUsed: number;
  numBytesAllocated: number;
  acquireBuffer(size: number, usage: number, mappedAtCreation?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
}

export type TfjsWebGPUBackendClass = new (device: GPUDevice, info: GPUAdapterInfo) => TfjsWebGPUBackend;

/** tfjs keeps every buffer that was let go for another tensor of exactly its size; beyond this many bytes they go back. */
const MAX_FREE_BYTES = 2 ** 30;

/** Integers beyond lose digits where tfjs's shaders take them for float32. */
const LARGEST_INTEGER = 2 ** 24;

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function largestOf(values: Values): number {
  let largest = 1;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

function valuesIn(numbers: ArrayBuffer, dtype: string): Values {
  if (dtype === 'float32') return new Float32Array(numbers);
  const integers = new Int32Array(numbers);
  return dtype === 'bool' ? Uint8Array.from(integers) : integers;
}

/** Bounds what is allocated, by a clear error, and what is kept. */
function boundBuffers(manager: BufferManager, largest: number): void {
  const { acquireBuffer, releaseBuffer } = manager;
  manager.acquireBuffer = (size, ...how) => {
    if (size > largest) {
      throw new Error(
        `webgpu: expected tensors of at most ${gib(largest)}, the adapter's limit of one buffer; found ${gib(size)}. ` +
          'Use smaller batches or another backend.',
      );
    }
    return acquireBuffer.call(manager, size, ...how);
  };
  manager.releaseBuffer = (buffer, reuse = true) => {
    const free = manager.numBytesAllocated - manager.numBytesUsed;
    releaseBuffer.call(manager, buffer, reuse && free + buffer.size <= MAX_FREE_BYTES);
  };
}

/** The class above tfjs's, which is there only when its package has been loaded. */
export function defineWebGPUBackend(Base: TfjsWebGPUBackendClass): new (opened: Device) => WebGPUBackend {
  return class extends Base implements WebGPUBackend {
    readonly readsWait = true as const;
    private readonly check: () => void;
    private readonly bounds = new WeakMap<object, number>();

    constructor({ device, info, largest, check }: Device) {
      super(device, info);
      this.check = check;
      boundBuffers(this.bufferManager, largest);
    }

    override readSync(dataId: object): Values {
      const data = this.tensorMap.get(dataId);
      if (data.values || data.dtype === 'string' || data.dtype === 'complex64') return super.readSync(dataId);
      const source = data.resource!;
      const staging = this.bufferManager.acquireBuffer(source.size, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
      this.ensureCommandEncoderReady();
      this.endComputePassEncoder();
      this.commandEncoder!.copyBufferToBuffer(source, 0, staging, 0, source.size);
      this.submitQueue();
      // What a failed mapping rejects with, `check` says.
      staging.mapAsync(GPUMapMode.READ).catch(() => {});
      waitWhile(() => staging.mapState === 'pending');
      this.check();
      const numbers = staging.getMappedRange().slice(0);
      staging.unmap();
      this.bufferManager.releaseBuffer(staging);
      data.values = valuesIn(numbers, data.dtype);
      return data.values;
    }

    override async read(dataId: object): Promise<Values> {
      const values = await super.read(dataId);
      this.check();
      return values;
    }

    boundOf(dataId: object): number {
      const { values, dtype } = this.tensorMap.get(dataId);
      if (!this.bounds.has(dataId) && values && dtype === 'int32') this.bounds.set(dataId, largestOf(values));
      return this.bounds.get(dataId) ?? 1;
    }

    setBound(dataId: object, bound: number): void {
      this.bounds.set(dataId, bound);
    }

    private checkIntegers(x: TensorInfo): void {
      const bound = x.dtype === 'int32' ? this.boundOf(x.dataId) : 1;
      if (bound <= LARGEST_INTEGER) return;
      throw new Error(
        `webgpu: expected integers up to 2^24, beyond which this kernel of tfjs's loses digits; found up to ${bound}. Use another backend.`,
      );
    }

    override uploadToGPU(dataId: object): void {
      // While they are still here.
      this.boundOf(dataId);
      super.uploadToGPU(dataId);
    }

    override runWebGPUProgram(
      program: Program,
      inputs: TensorInfo[],
      dtype: string,
      uniforms?: UniformData[],
      output?: TensorInfo,
    ): TensorInfo {
      if (!program.ours) for (const x of inputs) this.checkIntegers(x);
      const made = super.runWebGPUProgram(program, inputs, dtype, uniforms, output);
      this.check();
      return made;
    }
  };
}
