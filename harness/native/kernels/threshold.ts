/**
 * @file Kernels of thresholds, which repeat along z: SaxJump (z, theta; rectify): z · 1[z > θ], or z's positive part so;
 * SaxJumpGrad (dy, z, theta; bandwidth): dy · 1[z > θ] and dy · 1[|z − θ| < bandwidth / 2]; SaxBand (z, theta; bandwidth): the
 * latter without dy; SaxThresholdCounts (z [n, features], theta [features]; bandwidth): how many z > θ, and by feature how many are
 * in that band, both as float32.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Args, type Context, output, override, sizeOf } from '../registry.ts';

type Named = Record<'dy' | 'z' | 'theta', Tf.TensorInfo>;

/** The inputs, whose thresholds are of z's shape or of its last dimensions. */
function named({ inputs }: Args): Named {
  const { z, theta } = inputs as Named;
  const own = theta.shape.join() === z.shape.slice(z.shape.length - theta.shape.length).join();
  if (own || sizeOf(theta.shape) === 1) return inputs as Named;
  throw new Error(`native thresholds: [${theta.shape}] do not fit [${z.shape}]`);
}

/** Registers the kernels of thresholds. */
export function registerThreshold(context: Context): void {
  const { addon } = context;
  override(context, 'SaxJump', (args) => {
    const { backend, attrs } = args;
    const { z, theta } = named(args);
    const { info, values } = output(backend, z.shape, 'float32');
    addon.params[0] = attrs['rectify'] ? 1 : 0;
    addon.jump(values, backend.valuesOf(z), backend.valuesOf(theta));
    return info;
  });
  override(context, 'SaxJumpGrad', (args) => {
    const { backend, attrs } = args;
    const { dy, z, theta } = named(args);
    const [dz, band] = [output(backend, z.shape, 'float32'), output(backend, z.shape, 'float32')];
    addon.params[0] = (attrs['bandwidth'] as number) / 2;
    addon.jumpGrad(dz.values, band.values, ...[dy, z, theta].map((info) => backend.valuesOf(info)));
    return [dz.info, band.info];
  });
  override(context, 'SaxBand', (args) => {
    const { backend, attrs } = args;
    const { z, theta } = named(args);
    const { info, values } = output(backend, z.shape, 'float32');
    addon.params[0] = (attrs['bandwidth'] as number) / 2;
    addon.band(values, backend.valuesOf(z), backend.valuesOf(theta));
    return info;
  });
  override(context, 'SaxThresholdCounts', (args) => {
    const { backend, attrs } = args;
    const { z, theta } = named(args);
    const [total, near] = [output(backend, [], 'float32'), output(backend, theta.shape, 'float32')];
    addon.params[0] = (attrs['bandwidth'] as number) / 2;
    addon.thresholdCounts(total.values, near.values, backend.valuesOf(z), backend.valuesOf(theta));
    return [total.info, near.info];
  });
}
