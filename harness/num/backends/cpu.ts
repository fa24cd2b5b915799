/** @file TensorFlow.js's backend in JavaScript: always there, slow, and the source of kernels that others lack. */
import { registerSparseDecode } from '../kernels/sparse-decode.ts';
import { registerUnsortedSegmentSum } from '../kernels/unsorted-segment-sum.ts';
import { tf } from '../tf.ts';
import { cpuModel, defineBackend, importPackage, makeCurrent, type RunningBackend } from './record.ts';

/** Loads the package and what it lacks, without making it the current backend. */
export async function loadCpuPackage(): Promise<void> {
  await importPackage('@tensorflow/tfjs-backend-cpu');
  registerUnsortedSegmentSum('cpu');
  registerSparseDecode('cpu');
}

async function load(): Promise<RunningBackend> {
  await loadCpuPackage();
  await makeCurrent('cpu');
  const version = tf.version_core;
  return { says: { device: cpuModel(), version, detail: 'JavaScript, 1 thread', arithmetic: version } };
}

export const cpu = defineBackend({ load, chosen: 'where no other starts', mend: 'npm install' });
