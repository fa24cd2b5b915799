/** @file BatchMatMul and _FusedMatMul: in float32, or within the training of an SAE in precision bf16. */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Values } from '../addon.ts';
import type { NativeBackend } from '../backend.ts';
import { type Args, type Context, output, override, sizeOf } from '../registry.ts';
import { broadcastStrides, writeWalk } from '../strides.ts';

/** The numbering of gemm.cc. */
const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'];
const noBias = new Float32Array(0);

interface Product {
  a: Tf.TensorInfo;
  b: Tf.TensorInfo;
  transposeA: boolean;
  transposeB: boolean;
  bias: Values;
  activation: number;
  alpha: number;
}

/** Sides from which on a product is one that precision bf16 is for: those of a tile. Narrower ones stay in float32, as a router's do. */
const LEAST_SIDE = 32;

/** Whether a product [m, k] · [k, n] is one that rounds its factors now. */
export const rounds = ({ roundsFactors }: Context, m: number, n: number, k: number): boolean =>
  roundsFactors() && Math.min(m, n, k) >= LEAST_SIDE;

/** The values of `x` with its batch dimensions repeated to `batchShape`. */
function expandBatch({ addon }: Context, backend: NativeBackend, x: Tf.TensorInfo, batchShape: number[]): Values {
  const shape = [...batchShape, ...x.shape.slice(-2)];
  const expanded = new Float32Array(sizeOf(shape));
  addon.params[0] = 0;
  addon.params[1] = 0;
  writeWalk(addon.params, 2, shape, [broadcastStrides(shape, shape), broadcastStrides(x.shape, shape)]);
  addon.copy(expanded, backend.valuesOf(x));
  return expanded;
}

/** One product, or a batch of them. */
export function multiply(context: Context, backend: NativeBackend, product: Product): Tf.TensorInfo {
  const { tf, addon } = context;
  const { a, b, transposeA, transposeB } = product;
  const [aRows, aCols] = a.shape.slice(-2) as [number, number];
  const [bRows, bCols] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aCols, aRows] : [aRows, aCols];
  const [depth, n] = transposeB ? [bCols, bRows] : [bRows, bCols];
  if (k !== depth) {
    throw new Error(
      `Error in matMul: inner shapes (${k}) and (${depth}) of Tensors with shapes ${a.shape} and ${b.shape} must match.`,
    );
  }
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const batchShape = tf.broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const batch = sizeOf(batchShape);
  let aValues = backend.valuesOf(a);
  let bValues = backend.valuesOf(b);
  let mode = 1;
  if (sizeOf(bBatch) === 1 && batch > 1) mode = 2;
  else if (sizeOf(aBatch) === 1 && batch > 1) mode = 3;
  else {
    if (sizeOf(aBatch) < batch) aValues = expandBatch(context, backend, a, batchShape);
    if (sizeOf(bBatch) < batch) bValues = expandBatch(context, backend, b, batchShape);
  }
  const { info, values } = output(backend, [...batchShape, m, n], 'float32');
  // One matrix on the right and rows in a row on the left: a single taller product.
  const tall = mode === 2 && !transposeA;
  const { params } = addon;
  params[0] = tall ? 1 : batch;
  params[1] = tall ? batch * m : m;
  params[2] = n;
  params[3] = k;
  params[4] = transposeA ? 1 : 0;
  params[5] = transposeB ? 1 : 0;
  params[6] = product.activation;
  params[7] = product.alpha;
  params[8] = tall ? 1 : mode;
  const rounded = rounds(context, params[1], n, k);
  if (rounded) params[9] = 0; // what this CPU has best
  addon[rounded ? 'bfloatMatMul' : 'matMul'](values, aValues, bValues, product.bias);
  return info;
}

const isFloat = (x: Tf.TensorInfo | undefined | null) => x === undefined || x === null || x.dtype === 'float32';

function plain({ inputs, attrs }: Args): Product {
  const { a, b } = inputs as Record<'a' | 'b', Tf.TensorInfo>;
  const { transposeA, transposeB } = attrs as Record<'transposeA' | 'transposeB', boolean>;
  return { a, b, transposeA, transposeB, bias: noBias, activation: 0, alpha: 0 };
}

/** Registers the matrix products. */
export function registerMatMul(context: Context): void {
  override(context, 'BatchMatMul', (args) => {
    const product = plain(args);
    if (!isFloat(product.a) || !isFloat(product.b)) return undefined;
    return multiply(context, args.backend, product);
  });
  override(context, '_FusedMatMul', (args) => {
    const { inputs, attrs, backend } = args;
    const product = plain(args);
    const bias = inputs['bias'];
    const activation = activations.indexOf((attrs['activation'] as string | undefined) ?? 'linear');
    if (!isFloat(product.a) || !isFloat(product.b) || !isFloat(bias)) return undefined;
    const fused: Product = { ...product, alpha: (attrs['leakyreluAlpha'] as number | undefined) ?? 0.2 };
    const n = product.transposeB ? product.b.shape.at(-2)! : product.b.shape.at(-1)!;
    const rowBias = bias && bias.shape.at(-1) === n && sizeOf(bias.shape) === n && n > 0;
    if ((!bias || rowBias) && activation >= 0) {
      return multiply(context, backend, { ...fused, activation, bias: bias ? backend.valuesOf(bias) : noBias });
    }
    return inSteps(context, args, multiply(context, backend, product));
  });
}

/** Bias of another shape than a row, and prelu: by their own kernels. */
function inSteps({ tf }: Context, { inputs, attrs, backend }: Args, product: Tf.TensorInfo): Tf.TensorInfo {
  const call = (kernelName: string, kernelInputs: Record<string, Tf.TensorInfo>) =>
    tf.getKernel(kernelName, 'native').kernelFunc({
      inputs: kernelInputs,
      backend,
      attrs: { alpha: attrs['leakyreluAlpha'] as number },
    }) as Tf.TensorInfo;
  let current = product;
  const next = (info: Tf.TensorInfo) => {
    backend.disposeIntermediateTensorInfo(current);
    current = info;
  };
  if (inputs['bias']) next(call('Add', { a: current, b: inputs['bias'] }));
  const kernels: Record<string, string> = {
    relu: 'Relu',
    relu6: 'Relu6',
    elu: 'Elu',
    sigmoid: 'Sigmoid',
    leakyrelu: 'LeakyRelu',
  };
  const activation = (attrs['activation'] as string | undefined) ?? 'linear';
  if (activation === 'prelu') next(call('Prelu', { x: current, alpha: inputs['preluActivationWeights']! }));
  else if (activation !== 'linear') next(call(kernels[activation]!, { x: current }));
  return current;
}
