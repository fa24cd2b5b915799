/**
 * @file Kernels on a batch and its reconstruction [n, d]: SaxSquaredErrors (target, reconstruction; variance): the sum of
 * squared differences, and with `variance` that of the target's distances from its mean row too, as [1] or [2];
 * SaxSquaredErrorGrad (target, reconstruction, dy, a scalar): the gradient of the former to the reconstruction; SaxFiring
 * (codes [n, d_sae]): which columns have a number other than 0, bool, and how many such numbers there are, as int32 [2] of
 * which the second counts in 2^31.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Context, output, override } from '../registry.ts';

type Named = Record<'target' | 'reconstruction' | 'dy' | 'codes', Tf.TensorInfo>;

/** Registers the kernels on batches and their reconstructions. */
export function registerBatchErrors(context: Context): void {
  const { addon } = context;
  override(context, 'SaxSquaredErrors', ({ inputs, attrs, backend }) => {
    const { target, reconstruction } = inputs as Named;
    const out = output(backend, [attrs['variance'] ? 2 : 1], 'float32');
    addon.params.set(target.shape);
    addon.squaredErrors(out.values, backend.valuesOf(target), backend.valuesOf(reconstruction));
    return out.info;
  });
  override(context, 'SaxSquaredErrorGrad', ({ inputs, backend }) => {
    const { target, reconstruction, dy } = inputs as Named;
    const out = output(backend, target.shape, 'float32');
    addon.squaredErrorGrad(out.values, ...[target, reconstruction, dy].map((info) => backend.valuesOf(info)));
    return out.info;
  });
  override(context, 'SaxFiring', ({ inputs, backend }) => {
    const { codes } = inputs as Named;
    const fired = output(backend, [codes.shape[1]!], 'bool');
    const count = output(backend, [2], 'int32');
    addon.params.set(codes.shape);
    addon.firing(fired.values, count.values, backend.valuesOf(codes));
    return [fired.info, count.info];
  });
}
