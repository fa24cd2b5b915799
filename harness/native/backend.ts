/**
 * @file The backend class: tfjs's CPU backend, whose tensors are plain typed arrays, plus recycling of arrays that only
 * native kernels have seen.
 */

import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type * as Tf from '@tensorflow/tfjs-core';
import type { Addon, Values } from './addon.ts';
import { OnKeys } from './on-keys.ts';
import { Recycling } from './recycling.ts';

type DType = 'float32' | 'int32' | 'bool';

/** Numbers that are not made before somebody asks for them. */
export interface Unmade {
  /** Makes them, in an array from `arrays`. */
  make(): Values;
  /** Lets go of what they are made of, once: when they are made, or are no longer needed. */
  release(): void;
}

/** What the backend keeps of a tensor. `own`: `values` came from `arrays` and nobody outside has seen it. */
interface Data {
  values?: Values | unknown[];
  unmade?: Unmade | undefined;
  dtype: string;
  refCount: number;
  own?: boolean;
  complexTensorInfos?: { real: Tf.TensorInfo; imag: Tf.TensorInfo };
}

const constructors = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** True for the types that native kernels serve. */
export function isServed(dtype: string): dtype is DType {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

/**
 * CPU backend with native storage rules. An array handed out (dataSync, a kernel of tfjs's, another backend) is marked
 * as seen and never reused, so aliases stay valid as they do in tfjs.
 */
export class NativeBackend extends MathBackendCPU {
  /** Where its tensors' arrays come from and go to. */
  readonly arrays: Recycling;

  private readonly addon: Addon;

  constructor(addon: Addon) {
    super();
    this.addon = addon;
    this.arrays = new Recycling(addon);
    // The CPU backend would print a hint to install tfjs-node at its first use.
    (this as unknown as { firstUse: boolean }).firstUse = false;
    Reflect.set(this.data, 'data', new OnKeys());
  }

  private entry(dataId: object): Data {
    return this.data.get(dataId) as Data;
  }

  /** The array of a tensor for reading by a native kernel, converted when its type is not the one of `dtype`. */
  valuesOf(info: Tf.TensorInfo): Values {
    const { values } = this.made(info.dataId);
    const wanted = constructors[info.dtype as DType];
    return values instanceof wanted ? values : wanted.from(values as number[]);
  }

  /** A new tensor around an array from `arrays`. */
  wrap(shape: number[], dtype: DType, values: Values): Tf.TensorInfo {
    const info = this.makeTensorInfo(shape, dtype, values);
    this.entry(info.dataId).own = true;
    return info;
  }

  /** A new float32 tensor of numbers that are made when they are first read. */
  wrapUnmade(shape: number[], unmade: Unmade): Tf.TensorInfo {
    const info = this.makeTensorInfo(shape, 'float32');
    this.entry(info.dataId).unmade = unmade;
    return info;
  }

  /** How the numbers of a tensor will be made, as long as nobody has read them. */
  unmadeOf(info: Tf.TensorInfo): Unmade | undefined {
    return this.entry(info.dataId).unmade;
  }

  private made(dataId: object): Data {
    const data = this.entry(dataId);
    const { unmade } = data;
    if (!unmade) return data;
    // Whoever asks may have written the parameters of his own kernel already.
    const params = this.addon.params.slice();
    data.values = unmade.make();
    data.own = true;
    data.unmade = undefined;
    this.addon.params.set(params);
    unmade.release();
    return data;
  }

  /** Whether one tensor alone refers to the array, so that a kernel may write over it. */
  isExclusive(dataId: object): boolean {
    const { own, refCount } = this.entry(dataId);
    return own === true && refCount === 1;
  }

  /** Marks an array as seen by others. */
  expose(dataId: object): void {
    if (!this.data.has(dataId)) return;
    this.made(dataId).own = false;
  }

  override readSync(dataId: object): Tf.backend_util.BackendValues {
    this.expose(dataId);
    return super.readSync(dataId);
  }

  override disposeData(dataId: object, force = false): boolean {
    const data = this.data.has(dataId) ? this.entry(dataId) : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && data?.own) this.arrays.give(data.values as Values);
    if (gone) data?.unmade?.release();
    return gone;
  }
}
