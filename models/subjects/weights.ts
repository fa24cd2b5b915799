/** @file Parameters of a subject: how files hold them, checked loading, and weights made ready for inference. */
import { type NamedTensors, type Tensor, tf, UserError } from '../../harness/contract.ts';
import { openWeights, type StoredType } from '../../harness/kit/index.ts';
import { namesInShort } from './names-in-short.ts';

/** Names and shapes of the tensors that a config asks for. */
export type TensorShapes = Record<string, number[]>;

/** How files hold a linear layer that does not lie there by itself as [out, in]. */
export interface StoredLinear {
  /** Weights are [in, out], as of GPT-2's Conv1D. */
  transpose?: boolean;
  /** The layers that it is made of: their outputs lie one after another, in this order. Its own name is then none of the model's. */
  split?: readonly string[];
  /** What its weight's name ends with there, and its bias' likewise. Default `.weight`. */
  weight?: '' | '_weight';
  /** With `split` of equal parts: each of so many heads has its outputs of all parts together (GPT-NeoX). */
  heads?: number;
}

/** What files may do otherwise than give every tensor by its own name in the form that the model has it in. */
export interface FileLayout {
  /** Begin of names that files of the bare model, saved without its head, leave out. */
  prefix?: string;
  /** By the layer's name in the files, without `.weight` and `.bias`. */
  linears?: Record<string, StoredLinear>;
  /** Names of tensors that some files hold although the model computes them: masks, frequencies, indices. */
  buffers?: RegExp;
  /** Ends of names that files of older programs have, by those of today. */
  oldEnds?: Record<string, string>;
  /** Tensors that a file may hold as copies of others: tied weights. */
  copies?: Record<string, string>;
}

/** A tensor as it lies in the files, and the parameters that are made of it. */
interface StoredTensor {
  name: string;
  shape: number[];
  linear: StoredLinear;
  /** With their number of outputs each. */
  into: { name: string; shape: number[] }[];
}

/**
 * The tensors that files hold for parameters of these shapes, by name.
 *
 * @throws UserError for a split by heads whose parts are not of one size, since heads then lie otherwise.
 */
function storedTensors(shapes: TensorShapes, linears: Record<string, StoredLinear>): Map<string, StoredTensor> {
  const wholes = new Map<string, string>();
  for (const [name, { split }] of Object.entries(linears)) for (const part of split ?? [name]) wholes.set(part, name);
  const stored = new Map<string, StoredTensor>();
  for (const [name, shape] of Object.entries(shapes)) {
    const [, layer = name, end = ''] = /^(.*)(\.(?:weight|bias))$/.exec(name) ?? [];
    const whole = wholes.get(layer) ?? layer;
    const linear = linears[whole] ?? {};
    const written =
      whole + (linear.weight === undefined ? end : end.replace('.weight', linear.weight).replace('.', '_'));
    const found = stored.get(written);
    const into = [...(found?.into ?? []), { name, shape }];
    const placeOf = (part: { name: string }) => linear.split?.indexOf(part.name.slice(0, -end.length)) ?? 0;
    into.sort((a, b) => placeOf(a) - placeOf(b));
    const outputs = into.reduce((sum, part) => sum + (part.shape[0] ?? 1), 0);
    const joint = into.length > 1 ? [outputs, ...shape.slice(1)] : shape;
    const turned = linear.transpose && joint.length === 2 ? [...joint].reverse() : joint;
    stored.set(written, { name: written, shape: turned, linear, into });
  }
  for (const { name, linear, into } of stored.values()) {
    const sizes = into.map(({ shape }) => shape[0]);
    if (!linear.heads || new Set(sizes).size <= 1) continue;
    throw new UserError(`tensor '${name}': expected parts of one size in a split by heads, found ${sizes.join(', ')}.`);
  }
  return stored;
}

/** The parameters in a stored tensor. */
function unpack({ shape, linear, into }: StoredTensor, data: Float32Array): NamedTensors {
  return tf.tidy(() => {
    let x: Tensor = tf.tensor(data, shape, 'float32');
    if (linear.transpose && shape.length === 2) x = tf.transpose(x);
    const { heads } = linear;
    if (heads && into.length > 1) {
      const [outputs, ...rest] = x.shape as [number, ...number[]];
      const byHead = tf.reshape(x, [heads, into.length, outputs / heads / into.length, -1]);
      x = tf.reshape(tf.transpose(byHead, [1, 0, 2, 3]), [outputs, ...rest]);
    }
    const params: NamedTensors = {};
    let from = 0;
    for (const part of into) {
      const begin = [from, ...part.shape.slice(1).map(() => 0)];
      params[part.name] = into.length > 1 ? tf.slice(x, begin, part.shape) : x;
      from += part.shape[0] ?? 1;
    }
    return params;
  });
}

/**
 * Parameters in the form in which files hold them: linear layers that lie there together or transposed made so again. The
 * caller owns the new tensors; those that need no change are clones.
 */
export function packParams(params: NamedTensors, files: FileLayout = {}): NamedTensors {
  const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, shape]));
  const packed: NamedTensors = {};
  for (const { name, shape, linear, into } of storedTensors(shapes, files.linears ?? {}).values()) {
    packed[name] = tf.tidy(() => {
      const parts = into.map((part) => params[part.name]!);
      let x = parts.length > 1 ? tf.concat(parts) : tf.clone(parts[0]!);
      const { heads } = linear;
      if (heads && parts.length > 1) {
        const [outputs, ...rest] = x.shape as [number, ...number[]];
        const byPart = tf.reshape(x, [parts.length, heads, outputs / heads / parts.length, -1]);
        x = tf.reshape(tf.transpose(byPart, [1, 0, 2, 3]), [outputs, ...rest]);
      }
      return linear.transpose && shape.length === 2 ? tf.transpose(x) : x;
    });
  }
  return packed;
}

type Source = Awaited<ReturnType<typeof openWeights>>;

/**
 * Where the tensors lie, by the name that the config gives them.
 *
 * @throws UserError with all that are missing and all that are left over, or for another shape.
 */
function locate(source: Source, stored: Map<string, StoredTensor>, files: FileLayout): Map<string, string> {
  const { prefix = '', buffers, copies = {}, oldEnds = {} } = files;
  const older = (name: string) =>
    Object.entries(oldEnds).flatMap(([end, old]) => (name.endsWith(end) ? [name.slice(0, -end.length) + old] : []));
  const places = new Map<string, string>();
  const wanted = [...stored.keys(), ...Object.keys(copies)];
  for (const name of wanted) {
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const place = [name, bare].flatMap((now) => [now, ...older(now)]).find((candidate) => source.has(candidate));
    if (place !== undefined) places.set(name, place);
  }
  const used = new Set(places.values());
  const missing = [...stored.values()].filter(({ name }) => !places.has(name));
  const left = source.names.filter((name) => !used.has(name) && !buffers?.test(name));
  if (missing.length > 0) {
    const shapeOf = new Map(missing.map(({ name, shape }) => [name, shape]));
    const names = namesInShort([...shapeOf.keys()], (name) => ` [${shapeOf.get(name)!.join(', ')}]`);
    const held = left.length > 0 ? `the files hold, left over, ${namesInShort(left)}` : 'no tensor is left over';
    const [tensors, these] = missing.length > 1 ? ['tensors', 'these names'] : ['tensor', 'this name'];
    throw new UserError(
      `${source.path}: expected ${tensors} ${names} by config.json, found none of ${these}; ${held}.`,
    );
  }
  if (left.length > 0) {
    throw new UserError(
      `${source.path}: expected the tensors of config.json and no others, found ${namesInShort(left)}: without them the ` +
        'numbers would be those of another model.',
    );
  }
  for (const { name, shape } of stored.values()) {
    const place = places.get(name)!;
    const found = source.info(place).shape;
    if (found.join() === shape.join()) continue;
    throw new UserError(
      `${source.path}: tensor '${place}': expected shape [${shape.join(', ')}], found [${found.join(', ')}].`,
    );
  }
  return places;
}

/** Refuses a file whose tied weights are not the same. */
async function checkCopies(source: Source, places: Map<string, string>, files: FileLayout): Promise<void> {
  for (const [copy, original] of Object.entries(files.copies ?? {})) {
    const [place, other] = [places.get(copy), places.get(original)];
    if (place === undefined || other === undefined) continue;
    const expectShape = source.info(other).shape;
    const [a, b] = [await source.readFloat(place, { expectShape }), await source.readFloat(other, { expectShape })];
    if (a.every((value, i) => value === b[i])) continue;
    throw new UserError(
      `${source.path}: tensor '${place}': expected the values of '${other}', since config.json ties them, found others; ` +
        'say "tie_word_embeddings": false there if the model has both.',
    );
  }
}

/** Checks names and shapes of a folder's tensors by the headers of its files, as `loadParams` does. @throws UserError */
export async function checkWeights(folder: string, shapes: TensorShapes, files: FileLayout = {}): Promise<void> {
  locate(await openWeights(folder), storedTensors(shapes, files.linears ?? {}), files);
}

/** The type that holds a file's numbers exactly in the least memory. */
const storedType = (dtype: string): StoredType => (dtype === 'BF16' || dtype === 'F16' ? dtype : 'F32');

/**
 * Reads the parameters of `shapes` from a folder's weights.
 *
 * @param ready What becomes of the parameters in one stored tensor, of numbers that `type` holds, before the next is read:
 *   takes them over.
 * @throws UserError naming file, tensor, expected and found: for tensors that are missing or left over, another shape, NaN
 * or infinity, and copies that are none.
 */
export async function loadParams(
  folder: string,
  shapes: TensorShapes,
  files: FileLayout = {},
  ready: (params: NamedTensors, type: StoredType) => NamedTensors = (params) => params,
): Promise<NamedTensors> {
  const source = await openWeights(folder);
  const stored = storedTensors(shapes, files.linears ?? {});
  const places = locate(source, stored, files);
  await checkCopies(source, places, files);
  const params: NamedTensors = {};
  try {
    for (const tensor of stored.values()) {
      const place = places.get(tensor.name)!;
      const data = await source.readFloat(place, { finite: true });
      Object.assign(params, ready(unpack(tensor, data), storedType(source.info(place).dtype)));
    }
  } catch (error) {
    tf.dispose(params);
    throw error;
  }
  return params;
}

/** Number of values in all tensors of `shapes`. */
export function countParameters(shapes: TensorShapes): number {
  return Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
