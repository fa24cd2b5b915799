/** @file Lends kernels of tfjs's CPU backend to the wasm backend, copying inputs and outputs across. */
import type { DataId, KernelBackend, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { tf } from '../tf.ts';

type HostBackend = KernelBackend & { write(values: unknown, shape: number[], dtype: string): DataId };

/** Real-valued kernels that tfjs 4.22 has for `cpu` and not for `wasm`. Those on complex or string tensors stay out. */
const LENT = [
  'Einsum',
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
];

function copyAcross(info: TensorInfo, from: KernelBackend, to: HostBackend): TensorInfo {
  const dataId = to.write(from.readSync(info.dataId), info.shape, info.dtype);
  return { dataId, shape: info.shape, dtype: info.dtype };
}

function lend(config: KernelConfig, backendName: string): KernelConfig {
  return {
    kernelName: config.kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      // A CPU kernel reads its inputs from the CPU backend's own store, so it cannot run on another backend's ids:
      // tfjs's copyRegisteredKernels would register kernels that throw.
      const cpu = tf.findBackend('cpu') as HostBackend;
      const lender = backend as HostBackend;
      const copies = Object.entries(inputs).map(([name, info]) => [name, copyAcross(info!, lender, cpu)] as const);
      const lent = Array.isArray(inputs) ? copies.map(([, info]) => info) : Object.fromEntries(copies);
      const results = config.kernelFunc({ inputs: lent as never, backend: cpu, attrs });
      const outputs = (Array.isArray(results) ? results : [results]).map((info) => {
        const output = copyAcross(info, cpu, lender);
        cpu.disposeData(info.dataId, true);
        return output;
      });
      for (const [, info] of copies) cpu.disposeData(info.dataId, true);
      return Array.isArray(results) ? outputs : outputs[0]!;
    },
  };
}

/** Registers for `wasm` each lent kernel that it lacks. The CPU backend must have been imported. */
export function lendCpuKernels(backendName: 'wasm'): void {
  for (const kernelName of LENT) {
    const config = tf.getKernel(kernelName, 'cpu');
    if (config && !tf.getKernel(kernelName, backendName)) tf.registerKernel(lend(config, backendName));
  }
}
