/**
 * @file Arithmetic and look-ups by integers in int32, where tfjs's shaders take them for float32 and lose digits beyond 2^24:
 * places in flat [n, d_sae] or [n, vocabulary] are larger.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Args, type Context, override, run, sharing, sizeOf } from '../program.ts';
import { workgroupSum } from './workgroup-sum.ts';

/** Axes that a broadcast is described in. */
const AXES = 4;

/** Strides of `shape` within `out`, 0 along what is broadcast, led by axes of length 1. */
function stepsOf(shape: readonly number[], out: readonly number[]): number[] {
  const steps = new Array<number>(AXES).fill(0);
  let stride = 1;
  for (let back = 1; back <= shape.length; back++) {
    const dim = shape.at(-back)!;
    if (dim > 1 || out.at(-back) === 1) steps[AXES - back] = dim > 1 ? stride : 0;
    stride *= dim;
  }
  return steps;
}

const elementwise = (operator: string) => `
  if (index < uniforms.size) {
    var rest = index;
    var place = vec2<i32>(0);
    for (var axis = ${AXES - 1}; axis >= 0; axis--) {
      let at = rest % uniforms.dims[axis];
      rest = rest / uniforms.dims[axis];
      place += at * vec2<i32>(uniforms.aSteps[axis], uniforms.bSteps[axis]);
    }
    result[index] = i32(a[place.x]) ${operator} i32(b[place.y]);
  }
`;

function registerElementwise(context: Context, kernelName: string, operator: string): void {
  const { tf } = context;
  override(context, kernelName, ({ inputs, backend }) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    // Small ones that are not on the device are computed by JavaScript, exactly.
    if (a.dtype !== 'int32' || b.dtype !== 'int32' || backend.shouldExecuteOnCPU([a, b])) return undefined;
    const outputShape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    if (outputShape.length > AXES || sizeOf(outputShape) === 0) return undefined;
    const bounds = [a, b].map(({ dataId }) => backend.boundOf(dataId)) as [number, number];
    const dims = [...new Array<number>(AXES - outputShape.length).fill(1), ...outputShape];
    const out = run(backend, [a, b], {
      name: `int32 ${kernelName}`,
      inputs: ['a', 'b'],
      uniforms: { dims, aSteps: stepsOf(a.shape, outputShape), bSteps: stepsOf(b.shape, outputShape) },
      outputShape,
      dtype: 'int32',
      body: elementwise(operator),
    });
    backend.setBound(out.dataId, operator === '*' ? bounds[0] * bounds[1] : bounds[0] + bounds[1]);
    return out;
  });
}

const GATHER = (type: string) => `
  if (index < uniforms.size) {
    let slice = index % uniforms.sliceSize;
    let i = index / uniforms.sliceSize % uniforms.count;
    let outer = index / (uniforms.sliceSize * uniforms.count) % uniforms.outerSize;
    let batch = index / (uniforms.sliceSize * uniforms.count * uniforms.outerSize);
    let id = i32(indices[batch * uniforms.count + i]);
    var value = ${type}(0);
    if (id >= 0 && id < uniforms.dimSize) {
      value = ${type}(x[((batch * uniforms.outerSize + outer) * uniforms.dimSize + id) * uniforms.sliceSize + slice]);
    }
    result[index] = value;
  }
`;

function gather({ tf }: Context, { inputs, attrs, backend }: Args): TensorInfo | undefined {
  const { x, indices } = inputs as { x: TensorInfo; indices: TensorInfo };
  const known = x.dtype === 'float32' || x.dtype === 'int32';
  if (!known || indices.dtype !== 'int32' || backend.shouldExecuteOnCPU([x, indices])) return undefined;
  const { axis, batchDims } = attrs as { axis: number; batchDims: number };
  const [parsed] = tf.util.parseAxisParam(axis, x.shape) as [number];
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, parsed, batchDims);
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  if (sizeOf(x.shape) === 0) return undefined;
  const count = sizeOf(indices.shape) / batchSize;
  const out = run(backend, [x, indices], {
    name: `gather ${x.dtype}`,
    inputs: ['x', 'indices'],
    uniforms: { outerSize, dimSize, sliceSize, count },
    outputShape,
    dtype: x.dtype as 'float32' | 'int32',
    body: GATHER(x.dtype === 'float32' ? 'f32' : 'i32'),
  });
  if (x.dtype === 'int32') backend.setBound(out.dataId, backend.boundOf(x.dataId));
  return out;
}

function sumOf({ tf }: Context, { inputs, attrs, backend }: Args): TensorInfo | undefined {
  const x = inputs['x']!;
  if ((x.dtype !== 'int32' && x.dtype !== 'bool') || sizeOf(x.shape) === 0) return undefined;
  const { axis, keepDims } = attrs as { axis: number | number[]; keepDims: boolean };
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const perm = tf.backend_util.getAxesPermutation(axes, x.shape.length);
  const moved = perm
    ? (tf.getKernel('Transpose', 'webgpu').kernelFunc({ inputs: { x }, attrs: { perm }, backend }) as TensorInfo)
    : sharing(backend, x, x.shape);
  const [kept, width] = [moved.shape.slice(0, x.shape.length - axes.length), sizeOf(axes.map((i) => x.shape[i]!))];
  const sum = run(backend, [moved], {
    name: 'int32 sum',
    inputs: ['x'],
    uniforms: { width },
    outputShape: keepDims ? tf.backend_util.expandShapeToKeepDim(kept, axes) : kept,
    dtype: 'int32',
    ...workgroupSum('i32', sizeOf(kept), { count: 'uniforms.width', term: 'i32(x[at * uniforms.width + i])' }),
  });
  backend.setBound(sum.dataId, (x.dtype === 'bool' ? 1 : backend.boundOf(x.dataId)) * width);
  backend.disposeData(moved.dataId);
  return sum;
}

export function registerIntegers(context: Context): void {
  const { tf } = context;
  registerElementwise(context, tf.Add, '+');
  registerElementwise(context, tf.Sub, '-');
  registerElementwise(context, tf.Multiply, '*');
  override(context, tf.GatherV2, (args) => gather(context, args));
  override(context, tf.Sum, (args) => sumOf(context, args));
}
