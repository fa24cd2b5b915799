/** @file Linear heads for training only: the image embedding must tell every attribute of the image. */
import { type NamedTensors, type Scalar, type Tensor2D, tf } from '../../../harness/contract.ts';
import { sparseCrossEntropy } from '../../../harness/num/ops/cross-entropy.ts';
import { ATTRIBUTE_VALUES, type Attributes } from '../../../tasks/worlds/image-world/attributes.ts';

const PREFIX = 'attribute_head.';
const HEADS = Object.entries(ATTRIBUTE_VALUES) as [keyof Attributes, readonly string[]][];

/** Heads that start at zero, [dim, values] each. */
export function initAttributeHeads(dim: number): NamedTensors {
  return Object.fromEntries(HEADS.map(([name, values]) => [`${PREFIX}${name}`, tf.zeros([dim, values.length])]));
}

/** Cross-entropy of each attribute, averaged over the images, summed over attributes; what does not apply counts 0. */
export function attributeLoss(params: NamedTensors, embeds: Tensor2D, attributes: readonly Attributes[]): Scalar {
  const terms = HEADS.map(([name, values]) => {
    const labels = Int32Array.from(attributes, (image) => values.indexOf(image[name] ?? ''));
    const logits = tf.matMul(embeds, params[`${PREFIX}${name}`] as Tensor2D);
    return tf.mean(sparseCrossEntropy(logits as Tensor2D, tf.tensor1d(labels, 'int32')));
  });
  return tf.addN(terms) as Scalar;
}

/** The parameters of CLIP alone. */
export function withoutAttributeHeads<T>(params: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith(PREFIX)));
}
