/** @file Run by lifecycle.test.ts in a worker thread: loads the backend afresh and reports a sum. */
import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const tf = await import('@tensorflow/tfjs-core');
const native = await import('./index.ts');
await native.register(tf, () => false);
await tf.setBackend('native');
const product = tf.matMul(tf.ones([200, 300]), tf.ones([300, 1]));
parentPort?.postMessage(tf.sum(product).dataSync()[0]);
