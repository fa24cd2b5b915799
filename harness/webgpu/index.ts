/** @file Registers the TensorFlow.js backend `webgpu`: tfjs's own on Dawn, with what Node lacks and with our kernels. */
import type * as Tf from '@tensorflow/tfjs-core';
import { defineWebGPUBackend, type TfjsWebGPUBackend, type TfjsWebGPUBackendClass } from './backend.ts';
import { type Device, openDevice } from './device.ts';
import { catchEvents } from './events.ts';
import { registerAdam } from './kernels/adam.ts';
import { registerBatchErrors } from './kernels/batch-errors.ts';
import { registerIntegers } from './kernels/integers.ts';
import { registerSegmentSum } from './kernels/segment-sum.ts';
import { registerSparseDecode } from './kernels/sparse-decode.ts';
import { registerTopK } from './kernels/topk.ts';
import { loadDawn, loadTfjsBackend, PACKAGES } from './packages.ts';

/** What a started backend says about itself. */
export interface Started {
  device: string;
  detail: string;
  arithmetic: string;
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** tfjs's class asks whether it runs in a browser that has WebGPU, and in Node 20 there is no `navigator` at all. */
function withNavigator<T>(make: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: {} }, configurable: true });
  try {
    return make();
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}

function says({ info, largest }: Device): Started {
  const { vendor, architecture, device, description } = info;
  const named = [vendor, architecture, device].filter((part) => part !== '').join(' ');
  const name = description === '' ? named : `${description} (${named})`;
  const versions = Object.entries(PACKAGES).map(([pack, version]) => `${pack} ${version}`);
  return {
    device: name,
    detail: `WebGPU by Dawn, tensors up to ${gib(largest)}`,
    arithmetic: [name, ...versions].join(', '),
  };
}

/** Tensors are read synchronously by means that only these versions are known to have. @throws Error where that fails. */
function checkReading(backend: TfjsWebGPUBackend): void {
  const numbers = Float32Array.of(1, -2, 0.5);
  const x = backend.makeTensorInfo([3], 'float32', numbers);
  backend.uploadToGPU(x.dataId);
  const read = [...backend.readSync(x.dataId)];
  backend.disposeData(x.dataId);
  if (read.join() !== numbers.join()) throw new Error(`tensors are not read as written: [${numbers}] as [${read}]`);
}

/**
 * Loads the packages, opens the adapter and registers backend `webgpu`; the caller selects it with `tf.setBackend('webgpu')`.
 *
 * @throws Error where there is no adapter, or tensors cannot be read as they must be.
 */
export async function register(tf: typeof Tf): Promise<Started> {
  const dawn = await loadDawn();
  Object.assign(globalThis, dawn.globals);
  catchEvents(dawn.globals);
  const opened = await openDevice(dawn);
  const { WebGPUBackend } = loadTfjsBackend<{ WebGPUBackend: TfjsWebGPUBackendClass }>();
  const Backend = defineWebGPUBackend(WebGPUBackend);
  const backend = withNavigator(() => new Backend(opened));
  checkReading(backend);
  tf.registerBackend('webgpu', () => backend, 0);
  registerSegmentSum({ tf });
  registerIntegers({ tf });
  registerSparseDecode({ tf });
  registerTopK({ tf });
  registerBatchErrors({ tf });
  registerAdam({ tf });
  return says(opened);
}
