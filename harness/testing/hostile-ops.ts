/**
 * @file A child process for the test of hostile calls: seeded operations of TensorFlow.js and kernels of ours, on the native
 * backend, over empty, scalar, very long and odd shapes, wrong types and absurd attributes. Each call is told before it is made,
 * so that the last line names the one that ended the process. Where tfjs's CPU backend gives a result, ours must be the same; tensors
 * of absurd lengths may also be refused.
 *
 * Arguments: seed, number of calls.
 */
import { writeSync } from 'node:fs';
import { initBackend } from '../num/backend.ts';
import { type Source, source, tf } from './against-cpu.ts';
import { OWN_KERNELS } from './own-kernels.ts';

type Run = (x: tf.Tensor[], from: Source) => tf.Tensor | tf.Tensor[];

/** Beyond every array: beside a dimension of 0 it costs nothing, and without one nothing can be allocated. */
const LONG = 2 ** 40;
const SHAPES: readonly number[][] = [
  ...[[], [], [0], [1], [3], [17], [1, 1], [2, 3], [3, 2], [3, 3], [4, 1], [1, 4], [2, 3, 4], [1, 3, 1], [2, 2, 2, 2]],
  ...[
    [0, 3],
    [3, 0],
    [0, 0],
    [2, 0, 3],
    [0, LONG],
    [LONG, 0],
    [2, 0, LONG],
    [3, LONG, 0],
    [1, 0, LONG],
  ],
  ...[
    [1, 2, 1, 2, 1, 2],
    [5, 33],
    [1, 300],
    [70, 3],
  ],
];
const DTYPES = ['float32', 'float32', 'float32', 'int32', 'bool'] as const;
const pick = <T>(from: Source, list: readonly T[]): T => list[from.int(list.length)]!;
const axis = (from: Source) => pick(from, [-3, -2, -1, 0, 0, 1, 2, 5]);
const axes = (from: Source) => Array.from({ length: from.int(3) }, () => axis(from));
const few = (from: Source) => Array.from({ length: from.int(4) }, () => pick(from, [-1, 0, 0, 1, 2, 3, 7]));

const BINARY = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'pow',
  'mod',
  'squaredDifference',
  'atan2',
  'prelu',
] as const;
const COMPARE = [
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
  'logicalAnd',
  'logicalOr',
] as const;
const UNARY = [
  'abs',
  'neg',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'square',
  'relu',
  'sigmoid',
  'tanh',
  'floor',
  'round',
  'sign',
  'erf',
] as const;
const REDUCE = ['sum', 'mean', 'prod', 'max', 'min', 'all', 'any', 'logSumExp'] as const;

const OPERATIONS: Record<string, Run> = {
  ...Object.fromEntries([...BINARY, ...COMPARE].map((name): [string, Run] => [name, ([a, b]) => tf[name](a!, b!)])),
  ...Object.fromEntries(UNARY.map((name): [string, Run] => [name, ([a]) => tf[name](a!)])),
  ...Object.fromEntries(
    REDUCE.map((name): [string, Run] => [
      name,
      ([a], from) => tf[name](a!, pick(from, [undefined, axes(from)]), from.int(2) === 0),
    ]),
  ),
  argMax: ([a], from) => tf.argMax(a!, axis(from)),
  argMin: ([a], from) => tf.argMin(a!, axis(from)),
  cumsum: ([a], from) => tf.cumsum(a!, axis(from), from.int(2) === 0, from.int(2) === 0),
  softmax: ([a], from) => tf.softmax(a!, pick(from, [-1, -1, 0, 1])),
  logSoftmax: ([a]) => tf.logSoftmax(a!),
  topk: ([a], from) => Object.values(tf.topk(a!, pick(from, [-1, 0, 1, 2, 9, LONG]))) as tf.Tensor[],
  matMul: ([a, b], from) => tf.matMul(a!, b!, from.int(2) === 0, from.int(2) === 0),
  fusedMatMul: ([a, b, bias], from) =>
    tf.fused.matMul({
      a: a!,
      b: b!,
      bias: bias!,
      transposeA: from.int(2) === 0,
      activation: pick(from, ['relu', 'linear', 'elu']),
    }),
  slice: ([a], from) => tf.slice(a!, few(from), few(from)),
  stridedSlice: ([a], from) => tf.stridedSlice(a!, few(from), few(from), few(from), from.int(8), from.int(8)),
  split: ([a], from) => tf.split(a!, pick(from, [1, 2, 3, [1, 1], [0, 3]]), axis(from)),
  concat: ([a, b], from) => tf.concat([a!, b!], axis(from)),
  stack: ([a, b], from) => tf.stack([a!, b!], axis(from)),
  transpose: ([a], from) => tf.transpose(a!, pick(from, [undefined, few(from), [1, 0], [0, 2, 1]])),
  reverse: ([a], from) => tf.reverse(a!, axes(from)),
  pad: ([a], from) =>
    tf.pad(
      a!,
      a!.shape.map(() => [from.int(3), pick(from, [0, 1, 2])] as [number, number]),
    ),
  tile: ([a], from) => tf.tile(a!, few(from)),
  reshape: ([a], from) => tf.reshape(a!, pick(from, [[], [-1], few(from), [1, -1]])),
  expandDims: ([a], from) => tf.expandDims(a!, axis(from)),
  gather: ([a, b], from) => tf.gather(a!, tf.cast(b!, 'int32'), axis(from), pick(from, [0, 0, 1, 2])),
  gatherND: ([a, b]) => tf.gatherND(a!, tf.cast(b!, 'int32')),
  scatterND: ([a, b], from) => tf.scatterND(tf.cast(a!, 'int32'), b!, few(from)),
  oneHot: ([a], from) => tf.oneHot(tf.cast(a!, 'int32'), pick(from, [0, 1, 5])),
  segmentSum: ([x, ids], from) => {
    // Of other ids tfjs's CPU backend makes NaN.
    if (tf.getBackend() === 'cpu' && x!.shape[0] !== ids!.size) throw new Error('an id for each row is needed');
    return tf.unsortedSegmentSum(x!, tf.cast(ids!, 'int32') as tf.Tensor1D, pick(from, [0, 1, 5]));
  },
  where: ([a, b, c]) => tf.where(tf.cast(a!, 'bool'), b!, c!),
  addN: ([a, b, c]) => tf.addN([a!, b!, c!]),
  clip: ([a], from) => tf.clipByValue(a!, from.real(), 1),
  cast: ([a], from) => tf.cast(a!, pick(from, ['int32', 'bool', 'float32'])),
  fill: (_, from) => tf.fill(few(from), from.real()),
};

/** Where tfjs takes an axis that is none, a negative size, or shapes that do not fit, and we may refuse. */
const STRICTER = new Set(['cumsum', 'slice', 'segmentSum', 'tile', 'where']);

interface Input {
  shape: number[];
  dtype: (typeof DTYPES)[number];
  values: number[];
}

function inputOf(from: Source, shape: number[], dtype: Input['dtype']): Input {
  const size = shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1);
  const value = () => (dtype === 'bool' ? from.int(2) : dtype === 'int32' ? from.int(7) - 2 : from.real() * 3);
  return { shape, dtype, values: Array.from({ length: size }, value) };
}

/** Half of the time a shape that goes with the first. */
function shapeBeside(from: Source, first: readonly number[]): number[] {
  if (from.int(2) === 0) return [...pick(from, SHAPES)];
  const near = [
    [...first],
    first.map((dim) => (from.int(2) === 0 ? 1 : dim)),
    first.slice(1),
    first.includes(LONG) ? [] : [...first].reverse(),
  ];
  const shape = pick(from, near);
  return !shape.includes(0) && shape.some((dim) => dim >= LONG) ? [] : shape;
}

const made = ({ values, shape, dtype }: Input) => tf.tensor(values, shape, dtype);

interface Outcome {
  shape: number[];
  dtype: string;
  values: number[];
}

/** What the call gives on a backend, or the error. */
function outcome(
  backend: string,
  inputs: readonly Input[],
  run: (x: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
): Outcome[] | Error {
  tf.setBackend(backend);
  tf.engine().startScope();
  try {
    const results = [run(inputs.map(made))].flat();
    return results.map((each) => ({ shape: each.shape, dtype: each.dtype, values: Array.from(each.dataSync()) }));
  } catch (error) {
    return error as Error;
  } finally {
    tf.engine().endScope();
  }
}

const near = (a: number, b: number) =>
  Object.is(a, b) ||
  a === b ||
  (Number.isNaN(a) && Number.isNaN(b)) ||
  Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(a));

function difference(cpu: Outcome[], ours: Outcome[]): string | undefined {
  for (const [i, want] of cpu.entries()) {
    const got = ours[i];
    if (got === undefined || String(got.shape) !== String(want.shape) || got.dtype !== want.dtype) {
      return `output ${i}: expected ${want.dtype}[${want.shape}], found ${got?.dtype}[${got?.shape}]`;
    }
    const at = want.values.findIndex((value, j) => !near(value, got.values[j]!));
    if (at >= 0) return `output ${i} at ${at}: expected ${want.values[at]}, found ${got.values[at]}`;
  }
  return undefined;
}

const shown = ({ dtype, shape }: Input) => `${dtype}[${shape}]`;
const ABSURD = [0, -1, Number.NaN, 0.5, 1e18, 7, undefined, 'x', -1e-300];

/** A call of a kernel of ours, right at first, then with one or two inputs or attributes replaced. */
function ownCall(from: Source): void {
  const name = pick(from, Object.keys(OWN_KERNELS));
  const { inputs: right, attrs: rightAttrs } = OWN_KERNELS[name]!;
  const inputs = Object.fromEntries(
    Object.entries(right).map(([key, [shape, dtype]]) => [key, inputOf(from, [...shape], dtype)]),
  );
  const attrs: Record<string, unknown> = structuredClone(rightAttrs ?? {});
  for (let changes = from.int(3); changes > 0; changes--) {
    const keys = [...Object.keys(inputs), ...Object.keys(attrs)];
    const key = pick(from, keys);
    if (key in attrs) attrs[key] = pick(from, ABSURD);
    else inputs[key] = inputOf(from, [...pick(from, SHAPES)], pick(from, DTYPES));
  }
  writeSync(
    1,
    `${name}(${Object.entries(inputs).map(([key, x]) => `${key}: ${shown(x)}`)}) ${JSON.stringify(attrs)}\n`,
  );
  const keys = Object.keys(inputs);
  outcome('native', Object.values(inputs), (x) => {
    const named = Object.fromEntries(keys.map((key, i) => [key, x[i]!]));
    return tf.engine().runKernel(name, named, attrs as tf.NamedAttrMap) as tf.Tensor | tf.Tensor[];
  });
}

const [seed, calls] = process.argv.slice(2).map(Number) as [number, number];
await initBackend('native');
console.warn = () => undefined;
let compared = 0;
const complaints: string[] = [];
for (let i = 0; i < calls; i++) {
  const from = source(seed * 1_000_003 + i);
  if (from.int(3) === 0) {
    ownCall(from);
    continue;
  }
  const name = pick(from, Object.keys(OPERATIONS));
  const first = [...pick(from, SHAPES)];
  const dtype = pick(from, DTYPES);
  const inputs = [first, shapeBeside(from, first), shapeBeside(from, first)].map((shape) =>
    inputOf(from, shape, from.int(5) === 0 ? pick(from, DTYPES) : dtype),
  );
  const label = `${i}: ${name}(${inputs.map(shown).join(', ')})`;
  writeSync(1, `${label}\n`);
  const state = from.int(1 << 30);
  const call = (x: tf.Tensor[]) => OPERATIONS[name]!(x, source(state));
  const cpu = outcome('cpu', inputs, call);
  const ours = outcome('native', inputs, call);
  if (cpu instanceof Error || !cpu.every(({ shape }) => shape.every((dim) => dim >= 0))) continue;
  compared += 1;
  const refused = ours instanceof Error && (STRICTER.has(name) || inputs.some(({ shape }) => shape.includes(LONG)));
  if (refused) continue;
  const wrong = ours instanceof Error ? `threw ${ours.message}` : difference(cpu, ours);
  if (wrong !== undefined) complaints.push(`${label}: ${wrong}`);
}
writeSync(1, `${JSON.stringify({ compared, complaints: complaints.slice(0, 20), tensors: tf.memory().numTensors })}\n`);
