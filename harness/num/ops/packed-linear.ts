/**
 * @file Linear layers whose weight lies packed for the native kernels, in float32 or in the 16 bits that its file has: a
 * product widens the numbers on the way, and gives the bits that it gives with the float32 weight. In precision bf16 weights and
 * what they multiply are rounded to bfloat16, and sums are float32.
 */
import { hasKernel, runKernel } from '../kernels/own.ts';
import { precision } from '../precision.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** Types that weights have in files, by their safetensors names. */
export type StoredType = 'F32' | 'BF16' | 'F16';
/** Types that packed weights are held in: those of files, or in pairs along the sum, for products in bfloat16. */
export type PackedType = StoredType | 'BF16_PAIRS';

/** What a weight of a file's type is held in for the precision in use. */
export const heldAs = (type: StoredType): PackedType => (precision() === 'bf16' ? 'BF16_PAIRS' : type);

/** Whether a packed type holds every number of a stored one. */
export const holdsAll = (type: PackedType, stored: StoredType): boolean =>
  type === stored || (type === 'BF16_PAIRS' && stored === 'BF16');

/** What is known of a packed weight [in, out]. */
export interface PackedLayout {
  in: number;
  out: number;
  type: PackedType;
}

/** The packed numbers, in an order of the instruction set's: float32, or int32 that hold two of 16 bits each. */
export type PackedLinear = Tensor1D & { readonly layout: PackedLayout; transposed?: PackedLinear };

/** Outputs, and rows of a gradient, below which float32 products take another way, with other bits, than the packed one. */
const FEWEST = 9;

/** Whether the backend in use has packed products, and for this weight [out, in]. */
export function canPackLinear([out, width]: readonly number[]): boolean {
  return hasKernel('SaxLinear') && out! >= FEWEST && width! > 0;
}

/**
 * The packed form of a weight [out, in]. Not on the tape: it is a constant.
 *
 * @param type One that holds every number exactly, and only finite ones, or pairs, which round. @throws where it does not.
 */
export function packLinear(weight: Tensor2D, type: PackedType): PackedLinear {
  const [out, width] = weight.shape;
  const layout = { in: width, out, type };
  return Object.assign(runKernel<Tensor1D>('SaxPackWeight', { w: weight }, layout), { layout });
}

/** The weight [in, out] in float32: a new tensor. */
export function unpackLinear(packed: PackedLinear): Tensor2D {
  return runKernel('SaxUnpackWeight', { packed }, { ...packed.layout });
}

/** The transposed weight [out, in], packed as well: made when a gradient first asks for it, and disposed of with the weight. */
function transposedOf(packed: PackedLinear): PackedLinear {
  if (packed.transposed) return packed.transposed;
  const transposed = tf.keep(tf.tidy(() => packLinear(unpackLinear(packed), packed.layout.type)));
  const dispose = packed.dispose.bind(packed);
  packed.transposed = transposed;
  packed.dispose = () => {
    transposed.dispose();
    dispose();
  };
  return transposed;
}

/** dy [rows, out] · weightᵀ → [rows, in]. */
function gradientOf(dy: Tensor2D, packed: PackedLinear): Tensor2D {
  const { in: width, out } = packed.layout;
  if (dy.shape[0] < FEWEST || !canPackLinear([width, out])) return tf.matMul(dy, unpackLinear(packed), false, true);
  const transposed = transposedOf(packed);
  return runKernel('SaxLinear', { x: dy, packed: transposed }, { ...transposed.layout });
}

/**
 * x [rows, in] · weight + bias → [rows, out], differentiable in x: from the first gradient on the weight is held twice,
 * since widening and packing it anew took nearly a fifth of each step of what is trained through a language model.
 *
 * @throws Error where x or the bias has another width.
 */
export function packedLinear(x: Tensor2D, packed: PackedLinear, bias?: Tensor1D): Tensor2D {
  const attrs = { ...packed.layout };
  if (x.shape[1] !== attrs.in || (bias && bias.size !== attrs.out)) {
    const found = `x [${x.shape}]${bias ? ` and a bias [${bias.shape}]` : ''}`;
    throw new Error(`packed linear: expected x [rows, ${attrs.in}] and a bias [${attrs.out}] or none, found ${found}`);
  }
  const product = (x: Tensor2D) => runKernel<Tensor2D>('SaxLinear', { x, packed, ...(bias ? { bias } : {}) }, attrs);
  if (tf.engine().state.gradientDepth === 0) return product(x);
  return customOp(
    [x],
    (_save, x) => product(x as Tensor2D),
    (dy) => [gradientOf(dy as Tensor2D, packed)],
  );
}

/** Columns `ids` of a packed weight [in, out] → [ids, in]: rows of an embedding that is the unembedding too. @throws for an unknown id. */
export function packedRows(packed: PackedLinear, ids: Int32Array): Tensor2D {
  return tf.tidy(() => runKernel('SaxPackedRows', { packed, ids: tf.tensor1d(ids, 'int32') }, { ...packed.layout }));
}
