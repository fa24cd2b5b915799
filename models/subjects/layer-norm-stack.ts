/** @file Stacks with a LayerNorm before each layer, biases, and heads of equal parts of the width: what their configs say. */
import type { ConfigReader } from './config.ts';
import type { StackSpec } from './stack-spec.ts';

/** Field of a size, and what it is where the config leaves it out; without that the config must say it. */
type Field = readonly [name: string, fallback?: number];

/** The width and its heads, as many of keys and values as of queries. @throws UserError where heads do not divide the width. */
export function readHeads(
  config: ConfigReader,
  [width, usualWidth]: Field,
  [count, usualCount]: Field,
): Pick<StackSpec, 'd' | 'heads' | 'kvHeads' | 'headDim'> {
  const d = config.size(width, usualWidth);
  const heads = config.size(count, usualCount);
  if (d % heads !== 0) throw config.wrong(count, `a divisor of ${width} (${d})`);
  return { d, heads, kvHeads: heads, headDim: d / heads };
}

/** Values of a family's configuration class for what a config leaves out. */
export interface LayerNormDefaults {
  d: number;
  mlp: number;
  layers: number;
  heads: number;
  epsilon: number;
  /** Name of the activation function, as configs have it. */
  activation: string;
}

/**
 * The stack of a config with BERT's fields, which sees all columns. A family changes what is otherwise in it.
 *
 * @throws UserError for an impossible field.
 */
export function readLayerNormStack(
  config: ConfigReader,
  defaults: LayerNormDefaults,
  { blockPrefix, names }: Pick<StackSpec, 'blockPrefix' | 'names'>,
): StackSpec {
  return {
    ...readHeads(config, ['hidden_size', defaults.d], ['num_attention_heads', defaults.heads]),
    layers: config.layers('num_hidden_layers', defaults.layers),
    mlp: config.size('intermediate_size', defaults.mlp),
    norm: 'layer',
    epsilon: config.positive('layer_norm_eps', defaults.epsilon),
    activation: config.activation('hidden_act', defaults.activation),
    gated: false,
    causal: false,
    bias: { attention: true, mlp: true, norm: true },
    ...{ blockPrefix, names },
  };
}
