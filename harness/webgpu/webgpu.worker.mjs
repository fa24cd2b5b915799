/** @file Run by webgpu.test.ts in a worker thread: starts a backend of its own and reports a sum. */
import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { initBackend } = await import('../num/backend.ts');
const handle = await import('../num/tf.ts');
await initBackend('webgpu');
const { tf } = handle;
const product = tf.matMul(tf.ones([200, 300]), tf.ones([300, 1]));
parentPort?.postMessage(tf.sum(product).dataSync()[0]);
