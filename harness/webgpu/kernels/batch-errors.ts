/**
 * @file Kernels on a batch and its reconstruction, and on dense codes, as `native/kernels/batch-errors.ts` has them. A step reads what they
 * give, some numbers and one of each latent, in place of a batch of dense codes.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '../backend.ts';
import { type Args, type Context, override, run, sizeOf } from '../program.ts';
import { sumOfTerms } from './partial-sums.ts';
import { workgroupSum } from './workgroup-sum.ts';

type Inputs = Record<'target' | 'reconstruction' | 'dy' | 'codes', TensorInfo>;

const square = (difference: string) => `let e = ${difference}; return e * e;`;

/** The mean row of a batch [n, width], from its first row's distances, so that it is exact where all rows are equal. */
const MEANS = `
  if (index < uniforms.size) {
    var sum = 0.0;
    for (var row = 0; row < uniforms.rows; row++) { sum += target_[row * uniforms.size + index] - target_[index]; }
    result[index] = target_[index] + sum / f32(uniforms.rows);
  }
`;

function variance(backend: WebGPUBackend, target: TensorInfo): TensorInfo {
  const [rows, width] = [target.shape[0]!, target.shape[1]!];
  const means = run(backend, [target], {
    name: 'mean row',
    inputs: ['target_'],
    uniforms: { rows },
    outputShape: [width],
    dtype: 'float32',
    body: MEANS,
  });
  const sum = sumOfTerms(backend, {
    name: 'squared distances from the mean row',
    inputs: { x: target, means },
    uniforms: { width },
    terms: sizeOf(target.shape),
    head: `fn squared(i : i32) -> f32 { ${square('x[i] - means[i % uniforms.width]')} }`,
    term: 'squared(i)',
  });
  backend.disposeData(means.dataId);
  return sum;
}

function squaredErrors({ inputs, attrs, backend }: Args): TensorInfo {
  const { target, reconstruction } = inputs as Inputs;
  const residual = sumOfTerms(backend, {
    name: 'squared differences',
    inputs: { x: target, y: reconstruction },
    uniforms: {},
    terms: sizeOf(target.shape),
    head: `fn squared(i : i32) -> f32 { ${square('x[i] - y[i]')} }`,
    term: 'squared(i)',
  });
  if (!attrs['variance']) return residual;
  const parts = [residual, variance(backend, target)];
  const both = run(backend, parts, {
    name: 'two numbers in one',
    inputs: ['a', 'b'],
    uniforms: {},
    outputShape: [2],
    dtype: 'float32',
    body: 'if (index < uniforms.size) { result[index] = select(b[0], a[0], index == 0); }',
  });
  for (const { dataId } of parts) backend.disposeData(dataId);
  return both;
}

const GRADIENT = 'if (index < uniforms.size) { result[index] = dy[0] * (2.0 * (y[index] - x[index])); }';

function squaredErrorGrad({ inputs, backend }: Args): TensorInfo {
  const { target, reconstruction, dy } = inputs as Inputs;
  return run(backend, [target, reconstruction, dy], {
    name: 'gradient of squared differences',
    inputs: ['x', 'y', 'dy'],
    uniforms: {},
    outputShape: [...target.shape],
    dtype: 'float32',
    body: GRADIENT,
  });
}

/** Numbers other than 0 of each column; threads of a workgroup read neighbours. */
const COUNTS = `
  if (index < uniforms.size) {
    var count = 0;
    for (var row = 0; row < uniforms.rows; row++) { count += select(0, 1, codes[row * uniforms.size + index] != 0.0); }
    result[index] = count;
  }
`;

function firing({ inputs, backend }: Args): TensorInfo[] {
  const { codes } = inputs as Inputs;
  const [rows, d_sae] = [codes.shape[0]!, codes.shape[1]!];
  const counts = run(backend, [codes], {
    name: 'firing counts',
    inputs: ['codes'],
    uniforms: { rows },
    outputShape: [d_sae],
    dtype: 'int32',
    body: COUNTS,
  });
  const fired = run(backend, [counts], {
    name: 'fired',
    inputs: ['counts'],
    uniforms: {},
    outputShape: [d_sae],
    dtype: 'bool',
    body: 'if (index < uniforms.size) { result[index] = select(0, 1, counts[index] > 0); }',
  });
  // No buffer holds as many numbers that the second one, of 2^31, counted any.
  const count = run(backend, [counts], {
    name: 'all firing',
    inputs: ['counts'],
    uniforms: { latents: d_sae },
    outputShape: [2],
    dtype: 'int32',
    ...workgroupSum('i32', 2, { count: 'uniforms.latents', term: 'select(0, counts[i], at == 0)' }),
  });
  backend.disposeData(counts.dataId);
  return [fired, count];
}

/** The kernels that `num/ops/squared-error.ts` and `train/batch-stats.ts` ask for. */
export function registerBatchErrors(context: Context): void {
  override(context, 'SaxSquaredErrors', squaredErrors);
  override(context, 'SaxSquaredErrorGrad', squaredErrorGrad);
  override(context, 'SaxFiring', firing);
}
