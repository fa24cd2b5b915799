/** @file A Llama's forward pass as a pure, differentiable function of its parameters. */
import { type ForwardOptions, type ForwardResult, type NamedTensors, type Tensor1D, type Tensor2D, type Tensor3D, type TokenBatch, tf } from '../../harness/contract.ts';
import { type KeyValueCache, rowLogSumExp } from '../../harness/kit/index.ts';
import { embed, linear, normalise } from './layers.ts';
import type { LlamaConfig } from './llama-config.ts';
import { rotaryTables } from './positions.ts';
import { createHooks, FINAL_NORM_SITE, type PassPosition, stackSites } from './sites.ts';
import { blockAfter, runStack } from './transformer.ts';

/** All sites of a Llama, in the order of the pass. */
export const llamaSites = (config: LlamaConfig) => stackSites(config.stack, '', 'text', 'tokens');

const names = new WeakMap<LlamaConfig, string[]>();

function siteNames(config: LlamaConfig): string[] {
  const known = names.get(config) ?? llamaSites(config).map(({ name }) => name);
  names.set(config, known);
  return known;
}

/** A step of generation: one new column for every row, after the columns in the caches. */
export interface NewColumn {
  /** Position of each row's new token. */
  positions: Int32Array;
  /** Row-major [n, columns], the new one included: 1 where a row may look; everywhere when omitted. */
  seen?: Uint8Array;
}

/** The residual stream that a pass goes on from: x [n, length, d] at a site before or after a block. */
export interface ResidualStream {
  site: string;
  x: Tensor3D;
}

/** What a pass over hidden states gives; `hidden` [n·length, d] is the final norm's output. */
export interface HiddenResult {
  hidden?: Tensor2D;
  captured: Record<string, Tensor3D>;
}

/** Logits [rows, vocab] of final-norm outputs [rows, d]. */
export function llamaLogits(params: NamedTensors, config: LlamaConfig, hidden: Tensor2D): Tensor2D {
  return linear(params, config.tied ? 'model.embed_tokens' : 'lm_head', hidden);
}

/**
 * Everything before the unembedding. Keys and values are added to `caches`, one a layer, and `column` goes on from what
 * they hold; `from` leaves out what comes before a site. Call inside `tf.tidy`.
 */
export function llamaHidden(
  params: NamedTensors,
  config: LlamaConfig,
  batch: TokenBatch,
  options: ForwardOptions &
    Partial<PassPosition> & { column?: NewColumn; caches?: readonly KeyValueCache[]; from?: ResidualStream } = {},
): HiddenResult {
  const { stack } = config;
  const { n, length: t, mask } = batch;
  const { column, caches, from, offset = 0, phase = 'prompt' } = options;
  const first = from ? blockAfter(from.site, '', stack.layers) : 0;
  const hooks = createHooks(options, siteNames(config), { n, mask, offset, phase });
  const positions = column?.positions ?? Int32Array.from({ length: t }, (_, i) => i);
  const { x, captured } = runStack(
    params,
    stack,
    from ? tf.reshape(from.x, [n * t, stack.d]) : embed(params['model.embed_tokens.weight'] as Tensor2D, batch.ids),
    {
      n,
      t,
      sitePrefix: '',
      hooks,
      rotary: rotaryTables(positions, stack.headDim, stack.rotary!),
      seen: column?.seen && tf.tensor2d(column.seen, [n, column.seen.length / n], 'bool'),
      caches,
      from: first,
    },
  );
  if (!x || hooks.finished()) return { captured };
  const normed = normalise(params, 'model.norm', x, stack.norm, stack.epsilon);
  const hidden = hooks.visit(FINAL_NORM_SITE, normed);
  Object.assign(captured, hooks.take());
  return { hidden, captured };
}

/**
 * Logits [n, length, vocab] (of `places`, [1, places, vocab]) and captured sites of right-padded rows. Differentiable in
 * `params` (Hugging Face names); values at padding positions mean nothing.
 */
export function llamaForward(
  params: NamedTensors,
  config: LlamaConfig,
  batch: TokenBatch,
  options: ForwardOptions & { from?: ResidualStream } = {},
): ForwardResult {
  return tf.tidy(() => {
    const { hidden, captured } = llamaHidden(params, config, batch, options);
    if (!hidden || options.output === false) return { captured };
    const { places } = options;
    const wanted = places ? tf.gather(hidden, tf.tensor1d(places, 'int32')) : hidden;
    const [n, length] = places ? [1, places.length] : [batch.n, batch.length];
    const logits = tf.reshape(llamaLogits(params, config, wanted), [n, length, config.vocab]) as Tensor3D;
    return { logits, captured };
  });
}

/**
 * −ln p of every predicted token, [Σ(length − 1)] in row order, without logits at padding. The logit of the target is
 * taken from the target's own row of the unembedding, so nothing of size [tokens, vocab] is kept but the logits. With
 * what the sites asked for hold.
 */
export function llamaTokenLosses(
  params: NamedTensors,
  config: LlamaConfig,
  batch: TokenBatch,
  options: Pick<ForwardOptions, 'interventions' | 'capture'> = {},
): { losses: Tensor1D; captured: Record<string, Tensor3D> } {
  return tf.tidy(() => {
    const { hidden, captured } = llamaHidden(params, config, batch, options);
    const rows: number[] = [];
    for (let row = 0; row < batch.n; row++) {
      for (let column = 0; column + 1 < batch.length; column++) {
        const at = row * batch.length + column;
        if (batch.mask[at] && batch.mask[at + 1]) rows.push(at);
      }
    }
    const targets = Int32Array.from(rows, (at) => batch.ids[at + 1]!);
    const states = tf.gather(hidden!, tf.tensor1d(rows, 'int32'));
    const total = rowLogSumExp(llamaLogits(params, config, states));
    const table = params[config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight'] as Tensor2D;
    const losses = tf.sub(total, tf.sum(tf.mul(states, embed(table, targets)), 1)) as Tensor1D;
    return { losses, captured };
  });
}
