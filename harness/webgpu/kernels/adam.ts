/**
 * @file The optimiser's kernel, SaxAdam, as `native/kernels/adam.ts` has it: three dispatches a parameter, one of each of its results, in
 * place of two dozen; a program writes one tensor. Rows that stay at length 1 have a workgroup each.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { AdamAttributes } from '../../num/kernels/declining.ts';
import type { WebGPUBackend } from '../backend.ts';
import { type Args, type Context, override, run, sizeOf, type Wgsl } from '../program.ts';
import { sumOfTerms } from './partial-sums.ts';
import { workgroupSum } from './workgroup-sum.ts';

/** One parameter with what its gradient is read by. */
interface Part {
  param: TensorInfo;
  m: TensorInfo;
  v: TensorInfo;
  grad: TensorInfo;
  width: number;
  /** [rows]: the gradient's component along each unit row. */
  along?: TensorInfo;
}

/** `gradient(i)`, tangent to the unit rows, and what it reads. */
function gradient({
  grad,
  param,
  along,
  width,
}: Part): Pick<Wgsl, 'head' | 'uniforms'> & { inputs: Record<string, TensorInfo> } {
  if (!along) return { head: 'fn gradient(i : i32) -> f32 { return grad[i]; }', uniforms: {}, inputs: { grad } };
  return {
    head: 'fn gradient(i : i32) -> f32 { return grad[i] - along[i / uniforms.width] * param[i]; }',
    uniforms: { width },
    inputs: { grad, along, param },
  };
}

function componentAlong(backend: WebGPUBackend, { grad, param, width }: Omit<Part, 'along'>): TensorInfo {
  const rows = sizeOf(param.shape) / width;
  return run(backend, [grad, param], {
    name: 'gradient along unit rows',
    inputs: ['grad', 'param'],
    uniforms: { width },
    outputShape: [rows],
    dtype: 'float32',
    ...workgroupSum('f32', rows, {
      before: 'let start = at * uniforms.width;',
      count: 'uniforms.width',
      term: 'grad[start + i] * param[start + i]',
    }),
  });
}

/** [1]: PyTorch's clip_grad_norm_, min(1, clip / (norm + 1e-6)), the norm that of all gradients together. */
function clipScale(backend: WebGPUBackend, parts: Part[], clip: number): TensorInfo {
  let total: TensorInfo | undefined;
  for (const part of parts) {
    const { head = '', uniforms, inputs } = gradient(part);
    const squares = sumOfTerms(backend, {
      name: `squares of gradients${part.along ? ' of unit rows' : ''}`,
      ...{ inputs, uniforms },
      terms: sizeOf(part.param.shape),
      head: `${head}\nfn squared(i : i32) -> f32 { let g = gradient(i); return g * g; }`,
      term: 'squared(i)',
    });
    if (!total) {
      total = squares;
      continue;
    }
    const sum = run(backend, [total, squares], {
      name: 'sum of two numbers',
      ...{ inputs: ['a', 'b'], uniforms: {}, outputShape: [1], dtype: 'float32' },
      body: 'if (index < uniforms.size) { result[index] = a[0] + b[0]; }',
    });
    for (const { dataId } of [total, squares]) backend.disposeData(dataId);
    total = sum;
  }
  const scale = run(backend, [total!], {
    name: 'scale of clipped gradients',
    ...{ inputs: ['squares'], outputShape: [1], dtype: 'float32' },
    uniforms: { clip: { f32: clip } },
    body: 'if (index < uniforms.size) { result[index] = min(1.0, uniforms.clip / (sqrt(squares[0]) + 1e-6)); }',
  });
  backend.disposeData(total!.dataId);
  return scale;
}

/** A moment's next value: `power` is the gradient's term. */
function moment(
  backend: WebGPUBackend,
  part: Part,
  name: 'm' | 'v',
  beta: number,
  scale: TensorInfo | undefined,
): TensorInfo {
  const { head = '', uniforms, inputs } = gradient(part);
  const read = { old: part[name], ...inputs, ...(scale && { scale }) };
  return run(backend, Object.values(read), {
    name: `moment ${name}${part.along ? ' of unit rows' : ''}${scale ? ', clipped' : ''}`,
    inputs: Object.keys(read),
    uniforms: { ...uniforms, beta: { f32: beta }, rest: { f32: 1 - beta } },
    outputShape: [...part.param.shape],
    dtype: 'float32',
    head,
    body: `
  if (index < uniforms.size) {
    let g = gradient(index)${scale ? ' * scale[0]' : ''};
    result[index] = uniforms.beta * old[index] + uniforms.rest * ${name === 'm' ? 'g' : 'g * g'};
  }
`,
  });
}

const MOVED = `
fn moved(i : i32) -> f32 {
  return param[i] * uniforms.kept - uniforms.rate * m[i] / (sqrt(v[i]) * uniforms.correction + uniforms.epsilon);
}
`;

const ROW_THREADS = 64;

/** The row's length decides each of its numbers. */
const UNIT_ROW = `
  let row = index / ${ROW_THREADS};
  let valid = row < uniforms.size / uniforms.width;
  let start = row * uniforms.width;
  let width = select(0, uniforms.width, valid);
  var own = 0.0;
  for (var i = i32(localIndex); i < width; i += ${ROW_THREADS}) {
    let value = moved(start + i);
    own += value * value;
  }
  sums[localIndex] = own;
  workgroupBarrier();
  var square = 0.0;
  for (var t = 0; t < ${ROW_THREADS}; t++) { square += sums[t]; }
  let factor = 1.0 / max(sqrt(square), 1e-12);
  for (var i = i32(localIndex); i < width; i += ${ROW_THREADS}) { result[start + i] = moved(start + i) * factor; }
`;

function movedParam(
  backend: WebGPUBackend,
  part: Part,
  m: TensorInfo,
  v: TensorInfo,
  a: AdamAttributes,
  decay: number,
): TensorInfo {
  const { param, along, width } = part;
  const rates = {
    kept: { f32: 1 - a.learningRate * decay },
    rate: { f32: a.learningRate / (1 - a.beta1 ** a.step) },
    correction: { f32: 1 / Math.sqrt(1 - a.beta2 ** a.step) },
    epsilon: { f32: a.epsilon },
  };
  const common = { inputs: ['param', 'm', 'v'], outputShape: [...param.shape], dtype: 'float32' as const };
  if (!along) {
    const body = 'if (index < uniforms.size) { result[index] = moved(index); }';
    return run(backend, [param, m, v], { name: 'Adam', ...common, uniforms: rates, head: MOVED, body });
  }
  return run(backend, [param, m, v], {
    name: 'Adam of unit rows',
    ...common,
    uniforms: { ...rates, width },
    threads: ROW_THREADS,
    groups: sizeOf(param.shape) / width,
    head: `var<workgroup> sums : array<f32, ${ROW_THREADS}>;\n${MOVED}`,
    body: UNIT_ROW,
  });
}

function adam({ inputs, attrs, backend }: Args): TensorInfo[] {
  const a = attrs as unknown as AdamAttributes;
  const list = Object.values(inputs);
  const parts = a.unitRows.map((onSphere, i): Part => {
    const [param, m, v, grad] = list.slice(4 * i, 4 * i + 4) as [TensorInfo, TensorInfo, TensorInfo, TensorInfo];
    const part = { param, m, v, grad, width: param.shape.at(-1) ?? 1 };
    return onSphere ? { ...part, along: componentAlong(backend, part) } : part;
  });
  const scale = a.clipNorm > 0 ? clipScale(backend, parts, a.clipNorm) : undefined;
  const next = parts.flatMap((part, i) => {
    const m = moment(backend, part, 'm', a.beta1, scale);
    const v = moment(backend, part, 'v', a.beta2, scale);
    return [movedParam(backend, part, m, v, a, a.weightDecay[i]!), m, v];
  });
  for (const info of [scale, ...parts.map(({ along }) => along)]) if (info) backend.disposeData(info.dataId);
  return next;
}

export function registerAdam(context: Context): void {
  override(context, 'SaxAdam', adam);
}
