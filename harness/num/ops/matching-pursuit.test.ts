/** @file matchingPursuit with its rules to stop: codes and gradients against a float64 pursuit, on every backend that starts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { initBackend } from '../backend.ts';
import { checkGradient } from '../finite-difference.ts';
import { createRng } from '../rng.ts';
import { type Tensor2D, tf } from '../tf.ts';
import { matchingPursuit, type PursuitOptions } from './matching-pursuit.ts';

const test = suite('matching pursuit');
const backends = await testBackends();
const [N, D, ATOMS] = [6, 5, 9];
const OPTIONS: PursuitOptions[] = [
  { steps: 3 },
  { steps: 4, residualThreshold: 0.8 },
  { steps: 7, residualThreshold: 0.2, stopOnDuplicate: true },
];

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Codes [ATOMS] of one input. */
function pursuit(x: number[], atoms: number[][], { steps, residualThreshold = 0, stopOnDuplicate }: PursuitOptions) {
  const codes = new Array<number>(ATOMS).fill(0);
  const chosen = new Set<number>();
  let residual = x;
  for (let step = 0; step < steps; step++) {
    const products = atoms.map((atom) => dot(atom, residual));
    const best = products.indexOf(Math.max(...products));
    const value = Math.max(0, products[best]!);
    codes[best]! += value;
    residual = residual.map((left, i) => left - value * atoms[best]![i]!);
    if ((stopOnDuplicate && chosen.has(best)) || Math.sqrt(dot(residual, residual)) < residualThreshold) break;
    chosen.add(best);
  }
  return codes;
}

const rowsOf = (values: number[]) =>
  Array.from({ length: values.length / D }, (_, row) => values.slice(row * D, (row + 1) * D));
const weightOf = (row: number, atom: number) => Math.sin(3 * row + atom);

for (const backend of backends) {
  test(`${backend}: gradients of codes of inputs that stop at different steps`, async () => {
    await initBackend(backend);
    const draw = (seed: string, rows: number, scale: number) => ({
      shape: [rows, D],
      values: [...createRng(seed).fillNormal(new Float32Array(rows * D))].map((value) => scale * value),
    });
    const [inputs, atoms] = [draw('inputs', N, 1), draw('atoms', ATOMS, 0.45)];
    for (const options of OPTIONS) {
      const reference = (x: number[], W_dec: number[]) =>
        rowsOf(x).reduce((sum, row, i) => {
          const codes = pursuit(row, rowsOf(W_dec), options);
          return codes.reduce((total, value, atom) => total + weightOf(i, atom) * value, sum);
        }, 0);
      const op = (x: Tensor2D, W_dec: Tensor2D) => {
        const { indices, values } = matchingPursuit(x, W_dec, options);
        const k = indices.shape[1];
        const weights = Float32Array.from(indices.dataSync(), (atom, at) => weightOf(Math.floor(at / k), atom));
        return tf.sum(tf.mul(values, tf.tensor2d(weights, indices.shape)));
      };
      checkGradient(op as never, reference as never, [inputs, atoms]);
    }
  });

  test(`${backend}: no inputs, and inputs of zeros`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const W_dec = tf.ones([ATOMS, D]) as Tensor2D;
      for (const options of OPTIONS) {
        assert.is(matchingPursuit(tf.zeros([0, D]), W_dec, options).values.size, 0);
        const { values } = matchingPursuit(tf.zeros([2, D]), W_dec, options);
        assert.ok(values.dataSync().every((value) => value === 0));
      }
    });
  });
}

test.run();
