/**
 * @file SaxDenseEncodeGrad, the gradients of a dense linear encoder, for num/ops/dense-encode.ts: x [n, d], dy and seen [n, features],
 * theta [features] or absent; bandwidth. With dz = dy · 1[seen > θ] (θ = 0 where it is absent): xᵀ · dz, the sums of dz's columns, and
 * with theta those of dy · 1[|seen − θ| < bandwidth / 2].
 */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Values } from '../addon.ts';
import { type Args, type Context, output, override } from '../registry.ts';
import { multiply, rounds } from './matmul.ts';

type Named = Record<'x' | 'dy' | 'seen', Tf.TensorInfo> & { theta?: Tf.TensorInfo };
const none = new Float32Array(0);

/** The inputs, of shapes that fit one another. */
function named({ inputs }: Args): Named & { sizes: [n: number, d: number, features: number] } {
  const { x, dy, seen, theta } = inputs as unknown as Named;
  const [[n, d], [rows, features]] = [x.shape, seen.shape] as [[number, number], [number, number]];
  const fit = x.shape.length === 2 && seen.shape.length === 2 && rows === n && dy.shape.join() === seen.shape.join();
  const float = [x, dy, seen, ...(theta ? [theta] : [])].every(({ dtype }) => dtype === 'float32');
  if (fit && float && (!theta || theta.shape.join() === `${features}`) && n * d * features > 0) {
    return { x, dy, seen, ...(theta && { theta }), sizes: [n, d, features] };
  }
  const shapes = [x, dy, seen, ...(theta ? [theta] : [])].map(({ dtype, shape }) => `${dtype} [${shape}]`);
  throw new Error(`native gradient of an encoder: the inputs do not fit one another: ${shapes.join(', ')}`);
}

/** In float32 step by step: the numbers of the operations that it stands for, which are those that results have always had. */
function inSteps(context: Context, args: Args, sums: Values[]): Tf.TensorInfo {
  const { tf, addon } = context;
  const { backend } = args;
  const { x, dy, seen, theta, sizes } = named(args);
  const call = (kernelName: string, inputs: Record<string, Tf.TensorInfo>) =>
    [
      tf.getKernel(kernelName, 'native').kernelFunc({ ...args, attrs: args.attrs as Tf.NamedAttrMap, inputs }),
    ].flat() as Tf.TensorInfo[];
  // dz, and with thresholds what counts for theirs.
  const passed = theta ? call('SaxJumpGrad', { dy, z: seen, theta }) : call('SaxReluGrad', { dy, y: seen });
  passed.forEach((info, i) => {
    addon.params.set([0, 1, sizes[0], sizes[2]]);
    addon.reduction(sums[i]!, backend.valuesOf(info));
  });
  const product = { a: x, b: passed[0]!, transposeA: true, transposeB: false };
  const dW = multiply(context, backend, { ...product, bias: none, activation: 0, alpha: 0 });
  for (const info of passed) backend.disposeIntermediateTensorInfo(info);
  return dW;
}

/** Registers the kernel. */
export function registerDenseEncode(context: Context): void {
  const { addon } = context;
  override(context, 'SaxDenseEncodeGrad', (args) => {
    const { backend, attrs } = args;
    const { x, dy, seen, theta, sizes } = named(args);
    const [n, d, features] = sizes;
    const sums = (theta ? [0, 1] : [0]).map(() => output(backend, [features], 'float32'));
    const infos = sums.map(({ info }) => info);
    const arrays = sums.map(({ values }) => values);
    if (!rounds(context, d, features, n)) return [inSteps(context, args, arrays), ...infos];
    const dW = output(backend, [d, features], 'float32');
    const floors = theta ? backend.valuesOf(theta) : new Float32Array(features);
    const half = theta ? (attrs['bandwidth'] as number) / 2 : 0;
    const read = [x, dy, seen].map((info) => backend.valuesOf(info));
    addon.params.set([...sizes, half, 0]); // 0: by what this CPU has best
    addon.bfloatEncodeGrad(dW.values, arrays[0]!, arrays[1] ?? none, ...read, floors);
    return [dW.info, ...infos];
  });
}
