/**
 * @file Linear heads for training only. CLIP's loss alone learns outlines late: the image embedding must tell every
 * attribute of the image too, and every patch of the last block its shape, as dense supervision is learned sooner.
 */
import { type NamedTensors, type Scalar, type Tensor2D, type Tensor3D, tf } from '../../../../harness/contract.ts';
import { sparseCrossEntropy } from '../../../../harness/num/ops/cross-entropy.ts';
import { ATTRIBUTE_VALUES, type Attributes, SHAPES } from '../../../../tasks/worlds/image-world/attributes.ts';

const PREFIX = 'attribute_head.';
const PATCH_HEAD = `${PREFIX}patches`;
const HEADS = Object.entries(ATTRIBUTE_VALUES) as [keyof Attributes, readonly string[]][];
/** Weight of the shape's cross-entropy: the one attribute that needs several patches at once. */
const SHAPE_WEIGHT = 3;

/** Heads that start at zero: [dim, values] for each attribute, [width, shapes] for the patches. */
export function initAttributeHeads(dim: number, width: number): NamedTensors {
  const heads = HEADS.map(([name, values]) => [`${PREFIX}${name}`, tf.zeros([dim, values.length])] as const);
  return { ...Object.fromEntries(heads), [PATCH_HEAD]: tf.zeros([width, SHAPES.length]) };
}

function labelsOf(name: keyof Attributes, attributes: readonly Attributes[]): number[] {
  const values = ATTRIBUTE_VALUES[name] as readonly string[];
  return attributes.map((image) => values.indexOf(image[name] ?? ''));
}

function crossEntropy(states: Tensor2D, head: Tensor2D, labels: readonly number[]): Scalar {
  return tf.mean(sparseCrossEntropy(tf.matMul(states, head), tf.tensor1d(Int32Array.from(labels), 'int32')));
}

/**
 * Cross-entropy of each attribute from the embeddings [n, dim], averaged over the images and summed over attributes,
 * and of the shape from every token of the last block [n, t, width]; what does not apply to an image counts 0.
 */
export function attributeLoss(
  params: NamedTensors,
  embeds: Tensor2D,
  last: Tensor3D,
  attributes: readonly Attributes[],
): Scalar {
  const terms = HEADS.map(([name]) => {
    const loss = crossEntropy(embeds, params[`${PREFIX}${name}`] as Tensor2D, labelsOf(name, attributes));
    return name === 'shape' ? tf.mul(loss, SHAPE_WEIGHT) : loss;
  });
  const [n, t, width] = last.shape;
  const shapes = labelsOf('shape', attributes).flatMap((label) => new Array<number>(t).fill(label));
  const states = tf.reshape(last, [n * t, width]) as Tensor2D;
  return tf.addN([...terms, crossEntropy(states, params[PATCH_HEAD] as Tensor2D, shapes)]) as Scalar;
}

/** The parameters of CLIP alone. */
export function withoutAttributeHeads<T>(params: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith(PREFIX)));
}
