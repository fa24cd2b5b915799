/** @file The process that `probe.ts` starts: its last line of output says what backend `tensorflow` is and computes. */
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';

try {
  const { device, version } = await initBackend('tensorflow');
  const gpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).arraySync();
  console.log(JSON.stringify({ gpu, device, version, product }));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
