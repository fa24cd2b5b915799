/** @file Parameters of a subject: checked loading, fresh start values, and weights made ready for inference. */
import { type NamedTensors, type Tensor2D, tf, UserError } from '../../harness/contract.ts';
import { openWeights } from '../../harness/kit/index.ts';

/** Names and shapes of the tensors that a config asks for. */
export type TensorShapes = Record<string, number[]>;

/**
 * Reads all tensors of `shapes` from a folder's safetensors; others in the files are left alone.
 *
 * @throws UserError naming file, tensor, expected and found for a missing tensor, another shape, NaN or infinity.
 */
export async function loadParams(folder: string, shapes: TensorShapes): Promise<NamedTensors> {
  const source = await openWeights(folder);
  const missing = Object.keys(shapes).filter((name) => !source.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    throw new UserError(
      `${source.path}: expected tensor ${missing[0]} [${shapes[missing[0]!]}] by config.json, found none of this ` +
        `name${more}; the files hold ${source.names.length} tensors, such as ${source.names.slice(0, 3).join(', ')}.`,
    );
  }
  const params: NamedTensors = {};
  try {
    for (const [name, shape] of Object.entries(shapes)) {
      const data = await source.readFloat(name, { expectShape: shape, finite: true });
      params[name] = tf.tensor(data, shape, 'float32');
    }
  } catch (error) {
    tf.dispose(params);
    throw error;
  }
  return params;
}

/**
 * Replaces `<name>.weight` [out, in] of the linear layers by `<name>.weightT` [in, out], the form in which products are
 * fastest on every backend. Tensors in `keep` stay beside their transposed form (tables that are also looked up in).
 * Takes the tensors over: those replaced are disposed.
 */
export function transposeLinears(
  params: NamedTensors,
  linears: readonly string[],
  keep: readonly string[],
): NamedTensors {
  const ready = { ...params };
  for (const name of linears) {
    const weight = ready[`${name}.weight`] as Tensor2D;
    ready[`${name}.weightT`] = tf.transpose(weight);
    if (keep.includes(name)) continue;
    weight.dispose();
    delete ready[`${name}.weight`];
  }
  return ready;
}

/** Number of values in all tensors of `shapes`. */
export function countParameters(shapes: TensorShapes): number {
  return Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
