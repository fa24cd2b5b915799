/** @file TensorFlow.js's WebAssembly backend, with the kernels that it lacks. */
import { lendCpuKernels } from '../kernels/cpu-bridge.ts';
import { registerSparseDecode } from '../kernels/sparse-decode.ts';
import { registerUnsortedSegmentSum } from '../kernels/unsorted-segment-sum.ts';
import { registerWasmMatMul } from '../kernels/wasm-matmul.ts';
import { tf } from '../tf.ts';
import { loadCpuPackage } from './cpu.ts';
import { cpuModel, defineBackend, importPackage, makeCurrent, type RunningBackend } from './record.ts';

async function load(): Promise<RunningBackend> {
  await loadCpuPackage();
  await importPackage('@tensorflow/tfjs-backend-wasm');
  registerUnsortedSegmentSum('wasm');
  registerSparseDecode('wasm');
  lendCpuKernels('wasm');
  registerWasmMatMul();
  await makeCurrent('wasm');
  const simd = tf.env().getBool('WASM_HAS_SIMD_SUPPORT') ? 'SIMD' : 'no SIMD';
  const [version, detail] = [tf.version_core, `WebAssembly, ${simd}, 1 thread`];
  return { says: { device: cpuModel(), version, detail, arithmetic: `${simd}, ${version}` } };
}

export const wasm = defineBackend({ load, chosen: 'where native is not built', mend: 'npm install' });
