/** @file Pooling by attention (Lee et al. 2019, arXiv:1810.00825; SigLIP): a learned query looks at all tokens. */
import { type NamedTensors, type Tensor2D, tf } from '../../harness/contract.ts';
import { activation } from '../../harness/kit/index.ts';
import { attend } from './attention.ts';
import { linear } from './layers.ts';
import type { StackSpec } from './stack-spec.ts';
import { normaliseBy, normShapes } from './transformer.ts';
import type { TensorShapes } from './weights.ts';

/** Names of parameters, without `.weight` and `.bias`; layers are as wide as the stack's, and all have biases. */
export interface AttentionPooling {
  /** The query [1, 1, d], by its whole name. */
  probe: string;
  q: string;
  k: string;
  v: string;
  out: string;
  norm: string;
  up: string;
  down: string;
}

/** Names and shapes of the head's parameters. */
export function poolingShapes(head: AttentionPooling, stack: StackSpec): TensorShapes {
  const { d, mlp } = stack;
  const layer = (name: string, [outputs, inputs]: [number, number]) => ({
    [`${name}.weight`]: [outputs, inputs],
    [`${name}.bias`]: [outputs],
  });
  return {
    [head.probe]: [1, 1, d],
    ...Object.assign({}, ...[head.q, head.k, head.v, head.out].map((name) => layer(name, [d, d]))),
    ...normShapes(head.norm, stack),
    ...layer(head.up, [mlp, d]),
    ...layer(head.down, [d, mlp]),
  };
}

/** Names of the head's linear layers, without `.weight`. */
export const poolingLinears = ({ q, k, v, out, up, down }: AttentionPooling): string[] => [q, k, v, out, up, down];

/** Rows [n, d] of the tokens' states [n·t, d]: y + mlp(norm(y)), where y is what the query finds. */
export function attentionPool(
  params: NamedTensors,
  head: AttentionPooling,
  stack: StackSpec,
  states: Tensor2D,
  n: number,
): Tensor2D {
  const { d } = stack;
  const probe = tf.tile(tf.reshape(params[head.probe]!, [1, d]) as Tensor2D, [n, 1]);
  const project = (name: string, x: Tensor2D) => linear(params, name, x);
  const mixed = attend(project(head.q, probe), project(head.k, states), project(head.v, states), stack, {
    ...{ n, t: 1, causal: false },
  });
  const found = project(head.out, mixed);
  const normed = normaliseBy(stack, params, head.norm, found);
  return tf.add(found, project(head.down, activation(project(head.up, normed), stack.activation)));
}
