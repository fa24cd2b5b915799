/** @file Float32 matrix product: GFLOP/s. Usage: matmul.ts M K N */
import { createRng } from '../../num/rng.ts';
import { tf } from '../../num/tf.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';

const [m, k, n] = numbers(0) as [number, number, number];
const backend = await startBackend();
const rng = createRng(0);
const a = tf.tensor2d(rng.fillNormal(new Float32Array(m * k)), [m, k]);
const b = tf.tensor2d(rng.fillNormal(new Float32Array(k * n)), [k, n]);
const flops = 2 * m * k * n;
const elapsed = await seconds(() => tf.matMul(a, b).dispose(), Math.max(5, Math.floor(2e10 / flops)));
report(flops / elapsed / 1e9, 'GFLOP/s', backend);
