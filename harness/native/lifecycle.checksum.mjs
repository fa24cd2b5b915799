/** @file Run by lifecycle.test.ts as a process: prints the instruction set, a hash of result bits, and their sum. */
import * as tf from '@tensorflow/tfjs-core';
import { register } from './index.ts';

const { isa } = await register(tf, () => false);
await tf.setBackend('native');
const wave = (shape, step) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => ((i * step) % 1009) / 1009 - 0.4),
    shape,
  );
};
const a = wave([150, 700], 17);
const product = tf.matMul(a, wave([700, 130], 31));
const [q, k, v] = [wave([140, 48], 13), wave([140, 24], 19), wave([140, 24], 23)];
const sizes = {
  n: 2,
  t: 70,
  columns: 70,
  capacity: 70,
  heads: 4,
  kvHeads: 2,
  width: 12,
  scale: 0.3,
  causal: true,
  window: 9,
};
const [mixed, sums] = tf.engine().runKernel('SaxAttention', { q, k, v }, sizes);
const results = [
  mixed,
  ...tf.engine().runKernel('SaxAttentionGrad', { dy: q, mixed, sums, q, k, v }, sizes),
  product,
  tf.softmax(product),
  tf.sum(product, 0),
  tf.sum(wave([300000], 7)),
  tf.exp(a),
  tf.matMul(product, product, true),
];
let bits = 0;
let sum = 0;
for (const result of results) {
  const values = result.dataSync();
  for (const word of new Int32Array(values.buffer, values.byteOffset, values.length))
    bits = (Math.imul(bits, 31) + word) | 0;
  for (const value of values) sum += value;
}
console.log(JSON.stringify({ isa, bits, sum }));
