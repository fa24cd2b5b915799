/** @file GPT-Neo (Black et al. 2021), as the TinyStories models, in Hugging Face layout: unscaled scores, windows in turn. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { readHead } from './language-head.ts';
import { readHeads } from './layer-norm-stack.ts';

const EMBEDDING = 'transformer.wte';
const KINDS = ['global', 'local'] as const;

/**
 * Whether each layer has a window: `attention_types`, a list of [kinds, how often], and `attention_layers`, the same written
 * out.
 */
function readKinds(config: ConfigReader, layers: number): string[] {
  const types: unknown = config.value('attention_types') ?? [[['global', 'local'], 12]];
  const wrong = () => config.wrong('attention_types', `[[["global", "local"], n], …], ${layers} kinds in all`);
  if (!Array.isArray(types)) throw wrong();
  const kinds: string[] = [];
  for (const item of types) {
    const [some, times] = Array.isArray(item) ? item : [];
    const known = Array.isArray(some) && some.length > 0 && some.every((kind) => KINDS.includes(kind));
    if (!known || !Number.isInteger(times) || times < 0 || kinds.length + some.length * times > layers) throw wrong();
    for (let i = 0; i < times; i++) kinds.push(...some);
  }
  if (kinds.length !== layers) throw wrong();
  const written = config.names('attention_layers', KINDS, layers);
  if (written && written.join() !== kinds.join()) throw config.wrong('attention_layers', 'what attention_types says');
  return kinds;
}

/**
 * Reads Hugging Face's `GPTNeoConfig`.
 *
 * @throws UserError for a missing or impossible field.
 */
export function readGptNeo(config: ConfigReader): CausalLm {
  const heads = readHeads(config, ['hidden_size', 2048], ['num_heads', 16]);
  const layers = config.layers('num_layers', 24);
  const kinds = readKinds(config, layers);
  const { head, copies } = readHead(config, EMBEDDING, 'lm_head', true);
  return {
    vocab: config.size('vocab_size', 50257),
    maxLength: config.size('max_position_embeddings', 2048),
    bosId: config.tokenId('bos_token_id', 50256),
    eosId: config.tokenIds('eos_token_id', 50256),
    embed: EMBEDDING,
    positions: { table: 'transformer.wpe' },
    stack: {
      layers,
      ...heads,
      mlp: config.size('intermediate_size', 4 * heads.d),
      norm: 'layer',
      epsilon: config.positive('layer_norm_epsilon', 1e-5),
      activation: config.activation('activation_function', 'gelu_new'),
      gated: false,
      causal: true,
      bias: { attention: false, out: true, mlp: true, norm: true },
      scale: 1,
      window: kinds.includes('local')
        ? { size: config.size('window_size', 256), in: (layer) => kinds[layer] === 'local' }
        : undefined,
      blockPrefix: (layer) => `transformer.h.${layer}.`,
      names: {
        attentionNorm: 'ln_1',
        q: 'attn.attention.q_proj',
        k: 'attn.attention.k_proj',
        v: 'attn.attention.v_proj',
        out: 'attn.attention.out_proj',
        mlpNorm: 'ln_2',
        up: 'mlp.c_fc',
        down: 'mlp.c_proj',
      },
    },
    finalNorm: 'transformer.ln_f',
    head,
    files: {
      prefix: 'transformer.',
      // The mask of the attention, and what stands for −∞ in it.
      buffers: /\bh\.\d+\.attn\.attention\.(masked_)?bias$/,
      copies,
    },
  };
}

export default defineCausalLm({
  id: 'gpt-neo',
  title: 'GPT-Neo-architecture language models, as TinyStories (unscaled scores, alternating windows)',
  paper: 'Black et al. 2021, doi:10.5281/zenodo.5297715',
  version: 1,
  modelTypes: ['gpt_neo'],
  read: readGptNeo,
});
