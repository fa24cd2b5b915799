/**
 * @file UnsortedSegmentSum with the same bits in every run. tfjs's adds by atomics in any order, and wraps ids out of range, which are
 * dropped here as on all backends.
 */
import { type Context, override, run, sizeOf } from '../program.ts';
import { FIRST_OF, groupEntries } from './group-entries.ts';

const sum = (type: 'f32' | 'i32') => `
  if (index < uniforms.size) {
    let id = index / uniforms.width;
    let column = index % uniforms.width;
    var sum = ${type}(0);
    for (var i = firstOf(id); i < uniforms.entries && grouped[i] == id; i++) {
      sum += ${type}(x[grouped[uniforms.entries + i] * uniforms.width + column]);
    }
    result[index] = sum;
  }
`;

export function registerSegmentSum(context: Context): void {
  const { tf } = context;
  override(context, tf.UnsortedSegmentSum, ({ inputs, attrs, backend }) => {
    const { x, segmentIds } = inputs as { x: (typeof inputs)[string]; segmentIds: (typeof inputs)[string] };
    const segments = attrs['numSegments'] as number;
    const rest = x.shape.slice(segmentIds.shape.length);
    const [outputShape, entries] = [[segments, ...rest], sizeOf(segmentIds.shape)];
    const dtype = x.dtype === 'float32' ? 'float32' : 'int32';
    if (entries === 0) {
      const values = new (dtype === 'float32' ? Float32Array : Int32Array)(sizeOf(outputShape));
      return backend.makeTensorInfo(outputShape, dtype, values);
    }
    const grouped = groupEntries(backend, segmentIds, segments);
    const out = run(backend, [grouped, x], {
      name: `segment sum of ${dtype}`,
      inputs: ['grouped', 'x'],
      uniforms: { entries, width: sizeOf(rest) },
      outputShape,
      dtype,
      head: FIRST_OF,
      body: sum(dtype === 'float32' ? 'f32' : 'i32'),
    });
    backend.disposeData(grouped.dataId);
    if (dtype === 'int32') backend.setBound(out.dataId, backend.boundOf(x.dataId) * entries);
    return out;
  });
}
