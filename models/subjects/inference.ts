/** @file Parameters made ready for inference while they are read: linear layers in the form that products are fastest with. */
import { type NamedTensors, type SubjectLoading, type Tensor2D, tf } from '../../harness/contract.ts';
import { canPackLinear, heldAs, holdsAll, packLinear, type StoredType } from '../../harness/kit/index.ts';
import { drawAnew } from './random-init.ts';
import type { StackSpec } from './stack-spec.ts';
import { fusedLinears, packBlocks } from './transformer.ts';
import { type FileLayout, loadParams, type TensorShapes } from './weights.ts';

/** Which parameters inference reads otherwise than files hold them; names without `.weight`. */
export interface InferenceLayers {
  linears: readonly string[];
  /** Tables whose rows are looked up; one may be a linear layer too. */
  tables: readonly string[];
  /** Linear layers that fused blocks are made of. */
  fused?: readonly string[];
}

/**
 * Makes parameters ready for inference. `<name>.weight` [out, in] of a linear layer becomes `<name>.packed` where the
 * backend has products for that, in float32 or in 16 bits by the type `stored` and the precision in use; else, and for fused blocks, `<name>.weightT`
 * [in, out]. Tables are packed where that is half of their size, and stay as they are beside a form that lacks their numbers: a look-up
 * is no product, and rounds in no precision. Products give the
 * same bits in every form of a precision. Takes the tensors over: those replaced are disposed.
 */
export function readyLinears(
  params: NamedTensors,
  { linears, tables, fused = [] }: InferenceLayers,
  stored: StoredType = 'F32',
): NamedTensors {
  const ready = { ...params };
  for (const [key, tensor] of Object.entries(params)) {
    if (!key.endsWith('.weight')) continue;
    const name = key.slice(0, -'.weight'.length);
    const [isLinear, isTable] = [linears.includes(name), tables.includes(name)];
    const type = isLinear ? heldAs(stored) : stored;
    if (!isLinear && !(isTable && type !== 'F32')) continue;
    const weight = tensor as Tensor2D;
    const packs = !fused.includes(name) && canPackLinear(weight.shape);
    if (packs) ready[`${name}.packed`] = packLinear(weight, type);
    else if (isLinear) ready[`${name}.weightT`] = tf.transpose(weight);
    if (isTable && !(packs && holdsAll(type, stored))) continue;
    weight.dispose();
    delete ready[key];
  }
  return ready;
}

/**
 * Reads a subject's parameters, or draws them anew by `randomInit`, and makes them ready one stored tensor after another, so
 * that beside what stays in memory there is never more than one of them in float32; then packs blocks that can be fused.
 *
 * @param model Its stacks, and what is not drawn anew with `blocks` (`kept`, without `.weight`).
 * @throws UserError as `loadParams` does.
 */
export async function loadForInference(
  { folder, shapes, files }: { folder: string; shapes: TensorShapes; files: FileLayout },
  model: Omit<InferenceLayers, 'fused'> & { stacks: readonly StackSpec[]; kept: readonly string[] },
  randomInit: SubjectLoading['randomInit'],
): Promise<NamedTensors> {
  const layers = { ...model, fused: model.stacks.flatMap(fusedLinears) };
  const params = await loadParams(folder, shapes, files, (stored, type) => {
    if (!randomInit) return readyLinears(stored, layers, type);
    return readyLinears(drawAnew(stored, randomInit === 'blocks' ? model.kept : []), layers);
  });
  return model.stacks.reduce(packBlocks, params);
}
