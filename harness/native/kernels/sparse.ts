/**
 * @file Kernels on k-sparse codes. Under the names and shapes of num/kernels/sparse-decode.ts: SparseDecode (values, indices,
 * W_dec), SparseDecodeGradValues (dy, indices, W_dec; with codes, those that are 0 have gradient 0), SparseDecodeGradDecoder
 * (dy, values, indices; d_sae). SaxSparseDecodeGrad (dy, values, indices, W_dec) gives both at once, of values that are not 0.
 * And those of encoders, of x [n, d], W_enc [d, d_sae], bias [d_sae]:
 *
 * | kernel | attrs | outputs |
 * |---|---|---|
 * | SaxEncodeTopK | k | values and indices [n, k] of the largest entries of each row of x · W_enc + bias, descending, lowest index first among equals; with `ends` int32 [groups], in the part of the columns that belongs to the row's group (topk-encode.ts) |
 * | SaxEncodeAbove | limit | all entries above 0, as [n, width] with width that of the fullest row, at least 1; [n, 0] where there are more than `limit` |
 * | SaxEncodeBatchTopK | count | likewise the `count` largest entries above 0 of the whole batch, lowest row and then lowest index first among equals |
 * | SaxKronEncode | heads, m, n, k, least | of the factors u = x · W_base [rows, heads · m] and v = x · W_extension [rows, heads · n], and where given only of the latents for which `among` is above 0: values, ratios and indices [rows, k] of the largest √(u · v) (kron-encode.ts) |
 *
 * In a row of SaxEncodeAbove and SaxEncodeBatchTopK the indices ascend, and what is left over holds 0 at index 0.
 * SaxEncodeGrad (x, dy, codes, indices, W_enc, centre or absent) gives the gradients of W_enc, the bias and the centre from
 * those of the codes above 0. With the attr `later` the gradients of W_dec and W_enc stay unmade until they are read.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Addon, Values } from '../addon.ts';
import type { NativeBackend } from '../backend.ts';
import { type Args, type Context, output, override, sizeOf } from '../registry.ts';
import { SparseSums } from './sparse-sums.ts';

const none = new Float32Array(0);

type Named = Record<'values' | 'indices' | 'W_dec' | 'dy', Tf.TensorInfo>;

/** What an encoder reads, and n, d and d_sae. @throws where they do not fit: a kernel sees only that arrays are long enough. */
function encoderOf(inputs: Args['inputs']): { read: Tf.TensorInfo[]; sizes: [n: number, d: number, features: number] } {
  const { x, W_enc, bias } = inputs as Record<'x' | 'W_enc' | 'bias', Tf.TensorInfo>;
  const [n, d] = x.shape as [number, number];
  const [depth, features] = W_enc.shape as [number, number];
  if (depth !== d || sizeOf(bias.shape) !== features) {
    const found = `x [${x.shape}], W_enc [${W_enc.shape}], bias [${bias.shape}]`;
    throw new Error(`encoder: expected x [n, d], W_enc [d, d_sae] and bias [d_sae], found ${found}`);
  }
  return { read: [x, W_enc, bias], sizes: [n, d, features] };
}

function encodeTopK({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { read: infos, sizes } = encoderOf(inputs);
  const n = sizes[0];
  const k = attrs['k'] as number;
  const values = output(backend, [n, k], 'float32');
  const indices = output(backend, [n, k], 'int32');
  addon.params.set([...sizes, k]);
  const read = infos.map((info) => backend.valuesOf(info));
  if (inputs['ends']) addon.encodeTopKGrouped(values.values, indices.values, ...read, backend.valuesOf(inputs['ends']));
  else addon.encodeTopK(values.values, indices.values, ...read);
  return [values.info, indices.info];
}

/** Lists of rows that end at `ends`, as a matrix with a row for each. */
function padded(backend: NativeBackend, [lists, columns, ends]: [Values, Values, Values], n: number): Tf.TensorInfo[] {
  let width = 1;
  for (let i = 0; i < n; i++) width = Math.max(width, ends[i]! - (i === 0 ? 0 : ends[i - 1]!));
  const values = output(backend, [n, width], 'float32');
  const indices = output(backend, [n, width], 'int32');
  values.values.fill(0);
  indices.values.fill(0);
  for (let i = 0, from = 0; i < n; i++) {
    for (let at = i * width; from < ends[i]!; at++, from++) {
      values.values[at] = lists[from]!;
      indices.values[at] = columns[from]!;
    }
  }
  return [values.info, indices.info];
}

/** Codes with rows of different lengths: the entries above 0, all or the largest, of which there are at most `most`. */
function encodeLists(
  run: Addon['encodeAbove'],
  addon: Addon,
  { inputs, backend }: Args,
  most: number,
): Tf.TensorInfo[] {
  const { read, sizes } = encoderOf(inputs);
  const n = sizes[0];
  const lists: [Values, Values, Values] = [
    backend.arrays.take('float32', most),
    backend.arrays.take('int32', most),
    backend.arrays.take('int32', n + 1),
  ];
  addon.params.set([...sizes, most]);
  run(...lists, ...read.map((info) => backend.valuesOf(info)));
  const fits = lists[2][n]! <= most;
  const codes = fits
    ? padded(backend, lists, n)
    : [output(backend, [n, 0], 'float32').info, output(backend, [n, 0], 'int32').info];
  for (const list of lists) backend.arrays.give(list);
  return codes;
}

function encodeGrad(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { addon } = context;
  const { x, dy, codes, indices, W_enc, centre } = inputs as Record<string, Tf.TensorInfo>;
  const [n, k] = indices!.shape as [number, number];
  const [d, features] = W_enc!.shape as [number, number];
  const dz = output(backend, [n, k], 'float32');
  const small = [[features], ...(centre ? [[d]] : [])].map((shape) => output(backend, shape, 'float32'));
  const read = [dy!, codes!, indices!, W_enc!].map((info) => backend.valuesOf(info));
  addon.params.set([n, k, features, d]);
  addon.encodeGrad(dz.values, small[0]!.values, small[1]?.values ?? none, ...read);
  const dW = () => {
    const made = output(backend, [d, features], 'float32');
    addon.sparseOuterColumns(made.values, backend.valuesOf(x!), dz.values, backend.valuesOf(indices!));
    return made.info;
  };
  const sums = () => {
    const sources = { x: x!, values: dz.info, indices: indices! };
    return backend.wrapUnmade([d, features], new SparseSums(context, backend, sources, [n, k, features, d], true));
  };
  const ofWeights = attrs['later'] ? sums() : dW();
  backend.disposeIntermediateTensorInfo(dz.info);
  return [ofWeights, ...small.map(({ info }) => info)];
}

function sparseDecodeGrad(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { addon } = context;
  const { dy, values, indices, W_dec } = inputs as Named;
  const [n, k] = indices.shape as [number, number];
  const [features, d] = W_dec.shape as [number, number];
  const read = [dy, values, indices, W_dec].map((info) => backend.valuesOf(info));
  const dvalues = output(backend, [n, k], 'float32');
  const dW = attrs['later'] ? undefined : output(backend, [features, d], 'float32');
  addon.params.set([n, k, features, d]);
  addon.sparseDecodeGrad(dvalues.values, dW?.values ?? none, ...read);
  if (dW) return [dvalues.info, dW.info];
  const sums = new SparseSums(context, backend, { x: dy, values, indices }, [n, k, features, d], false);
  return [dvalues.info, backend.wrapUnmade([features, d], sums)];
}

function kronEncode({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { x, W_base, W_extension, among } = inputs as Record<'x' | 'W_base' | 'W_extension', Tf.TensorInfo> & {
    among?: Tf.TensorInfo;
  };
  const { heads, m, n, k, least } = attrs as Record<'heads' | 'm' | 'n' | 'k' | 'least', number>;
  const [rows, d] = x.shape as [number, number];
  const outs = (['float32', 'float32', 'int32'] as const).map((dtype) => output(backend, [rows, k], dtype));
  addon.params.set([rows, d, heads, m, n, k, least]);
  const read = [x, W_base, W_extension].map((info) => backend.valuesOf(info));
  addon.kronEncode(...outs.map(({ values }) => values), ...read, among ? backend.valuesOf(among) : none);
  return outs.map(({ info }) => info);
}

/** Registers the kernels on k-sparse codes. */
export function registerSparse(context: Context): void {
  const { addon } = context;
  override(context, 'SaxEncodeTopK', (args) => encodeTopK(context, args));
  override(context, 'SaxKronEncode', (args) => kronEncode(context, args));
  override(context, 'SaxEncodeAbove', (args) =>
    encodeLists(addon.encodeAbove, addon, args, args.attrs['limit'] as number),
  );
  override(context, 'SaxEncodeBatchTopK', (args) =>
    encodeLists(addon.encodeBatchTopK, addon, args, args.attrs['count'] as number),
  );
  override(context, 'SparseDecode', ({ inputs, backend }) => {
    const { values, indices, W_dec } = inputs as Named;
    const [n, k] = indices.shape as [number, number];
    const [features, d] = W_dec.shape as [number, number];
    const out = output(backend, [n, d], 'float32');
    addon.params.set([n, k, features, d]);
    addon.sparseDecode(out.values, backend.valuesOf(values), backend.valuesOf(indices), backend.valuesOf(W_dec));
    return out.info;
  });
  override(context, 'SparseDecodeGradValues', ({ inputs, backend }) => {
    const { dy, indices, W_dec } = inputs as Named;
    const [n, k] = indices.shape as [number, number];
    const [features, d] = W_dec.shape as [number, number];
    const out = output(backend, [n, k], 'float32');
    const codes = inputs['codes'] ? backend.valuesOf(inputs['codes']) : none;
    addon.params.set([n, k, features, d]);
    addon.sparseDots(out.values, ...[dy, indices, W_dec].map((info) => backend.valuesOf(info)), codes);
    return out.info;
  });
  override(context, 'SparseDecodeGradDecoder', ({ inputs, attrs, backend }) => {
    const { dy, values, indices } = inputs as Named;
    const [n, k] = indices.shape as [number, number];
    const [features, d] = [attrs['d_sae'] as number, dy.shape[1]!];
    const out = output(backend, [features, d], 'float32');
    addon.params.set([n, k, features, d]);
    addon.sparseOuter(out.values, backend.valuesOf(dy), backend.valuesOf(values), backend.valuesOf(indices));
    return out.info;
  });
  override(context, 'SaxSparseDecodeGrad', (args) => sparseDecodeGrad(context, args));
  override(context, 'SaxEncodeGrad', (args) => encodeGrad(context, args));
}
