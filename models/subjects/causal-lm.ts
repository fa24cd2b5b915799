/**
 * @file Causal language models of any family: what a family declares, and the passes as pure, differentiable functions of
 * the parameters. `define-causal-lm.ts` makes a subject of it; llama.ts and gpt2.ts are families.
 *
 * What a family has beyond the others is a field of `CausalLm` or `StackSpec` that these leave out. The fused block of the
 * native backend knows none of: `parallel`, gains of 1 + weight, norms of queries and keys or of what is added, a block
 * without a norm before its layers, caps on scores, rotary positions of a head's first part. Windows do as long as they hold
 * the whole text, and in a step of generation.
 */
import {
  type ForwardOptions,
  type ForwardResult,
  type NamedTensors,
  type Site,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type TokenBatch,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { type KeyValueCache, rowLogSumExp } from '../../harness/kit/index.ts';
import { embed, linear } from './layers.ts';
import { embedTokens, type Positions } from './positions.ts';
import { createHooks, FINAL_NORM_SITE, type PassPosition, stackSites } from './sites.ts';
import type { StackSpec } from './stack-spec.ts';
import {
  blockAfter,
  fileLayout,
  normaliseBy,
  normShapes,
  runStack,
  type StackPass,
  stackShapes,
} from './transformer.ts';
import type { FileLayout, TensorShapes } from './weights.ts';

/** The architecture of a causal language model. Names are those of its parameters, without `.weight` and `.bias`. */
export interface CausalLm {
  vocab: number;
  /** Longest sequence that the model was made for; with learned positions there is no longer one. */
  maxLength: number;
  bosId?: number;
  /** What ends a text; several where chat-tuned models end a turn otherwise than a text. */
  eosId?: number | readonly number[];
  /** Table of the tokens [vocab, d]. */
  embed: string;
  /** Factor on the rows of the table that enter the stream (Gemma: √d). */
  embedScale?: number;
  positions: Positions;
  stack: StackSpec;
  finalNorm: string;
  /** The unembedding; the same as `embed` where the weights are tied. */
  head: string;
  /** Logits l become cap · tanh(l / cap) (Gemma 2). */
  logitCap?: number;
  /** How files hold all this, beside what the stack says of its layers. */
  files?: FileLayout;
}

/** All sites, in the order of the pass. */
export const causalLmSites = (lm: CausalLm): Site[] => stackSites(lm.stack, '', 'text', 'tokens', true);

/** Names and shapes of all parameters. */
export function causalLmShapes({ vocab, maxLength, embed, positions, stack, finalNorm, head }: CausalLm): TensorShapes {
  return {
    [`${embed}.weight`]: [vocab, stack.d],
    ...('table' in positions ? { [`${positions.table}.weight`]: [maxLength, stack.d] } : {}),
    ...stackShapes(stack),
    ...normShapes(finalNorm, stack),
    ...(head === embed ? {} : { [`${head}.weight`]: [vocab, stack.d] }),
  };
}

/** What stands between ids and the stream: tables of tokens and positions, and the unembedding. */
export const causalLmTables = ({ embed, positions, head }: CausalLm): string[] => [
  ...('table' in positions ? [positions.table] : []),
  ...new Set([embed, head]),
];

/** How files hold the parameters. */
export const causalLmFiles = ({ files, stack }: CausalLm): FileLayout => fileLayout(files, stack);

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
export function causalLmLogits(params: NamedTensors, lm: CausalLm, hidden: Tensor2D): Tensor2D {
  return capped(lm, linear(params, lm.head, hidden));
}

const capped = <T extends Tensor>({ logitCap }: CausalLm, logits: T): T =>
  logitCap === undefined ? logits : (tf.mul(tf.tanh(tf.div(logits, logitCap)), logitCap) as T);

/**
 * Which columns the rows see in a step of generation in layers with a window of `size`: those that `column.seen` shows and
 * whose positions, counted without the others, are less than `size` before the row's own.
 */
function seenInWindow({ positions, seen }: NewColumn, size: number): Uint8Array | undefined {
  if (positions.every((position) => position < size)) return seen;
  const n = positions.length;
  // Rows that are done stay where they ended.
  const columns = seen ? seen.length / n : Math.max(...positions) + 1;
  const near = new Uint8Array(n * columns);
  for (let row = 0; row < n; row++) {
    let position = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      if (seen?.[at] === 0) continue;
      if (position > positions[row]! - size) near[at] = 1;
      position++;
    }
  }
  return near;
}

/** What layers with a window have otherwise than the others. */
function localPass({ positions, stack }: CausalLm, places: Int32Array, column?: NewColumn): StackPass['local'] {
  if (!stack.window) return undefined;
  const seen = column && seenInWindow(column, stack.window.size);
  const rotary = 'rotary' in positions ? positions.localRotary : undefined;
  return { rotary: rotary?.tables(places), seen: seen && seenTensor(seen, column.positions.length) };
}

const seenTensor = (seen: Uint8Array, n: number) => tf.tensor2d(seen, [n, seen.length / n], 'bool');

/**
 * Everything before the unembedding. Keys and values are added to `caches`, one a layer, and `column` goes on from what
 * they hold; `from` leaves out what comes before a site. Call inside `tf.tidy`.
 */
export function causalLmHidden(
  params: NamedTensors,
  lm: CausalLm,
  batch: TokenBatch,
  options: ForwardOptions &
    Partial<PassPosition> & { column?: NewColumn; caches?: readonly KeyValueCache[]; from?: ResidualStream } = {},
): HiddenResult {
  const { stack } = lm;
  const { n, length: t, mask, ids } = batch;
  const { column, caches, from, offset = 0, phase = 'prompt' } = options;
  if ('table' in lm.positions && t > lm.maxLength) {
    throw new UserError(`texts: expected at most ${lm.maxLength} ids, one a position of the model, found ${t}.`);
  }
  const first = from ? blockAfter(from.site, '', stack.layers) : 0;
  const { promptLengths } = batch;
  const hooks = createHooks(options, () => causalLmSites(lm), { n, mask, offset, phase, promptLengths });
  const positions = column?.positions ?? Int32Array.from({ length: t }, (_, i) => i);
  const input: Tensor2D = from ? tf.reshape(from.x, [n * t, stack.d]) : embedTokens(params, lm, ids, positions);
  const { x, captured } = runStack(params, stack, input, {
    n,
    t,
    sitePrefix: '',
    hooks,
    rotary: 'rotary' in lm.positions ? lm.positions.rotary.tables(positions) : undefined,
    seen: column?.seen && seenTensor(column.seen, n),
    local: localPass(lm, positions, column),
    caches,
    from: first,
  });
  if (!x || hooks.finished()) return { captured };
  const normed = normaliseBy(stack, params, lm.finalNorm, x);
  const hidden = hooks.visit(FINAL_NORM_SITE, normed);
  Object.assign(captured, hooks.take());
  return { hidden, captured };
}

/**
 * Logits [n, length, vocab] (of `places`, [1, places, vocab]) and captured sites of right-padded rows. Differentiable in
 * `params`; values at padding positions mean nothing.
 */
export function causalLmForward(
  params: NamedTensors,
  lm: CausalLm,
  batch: TokenBatch,
  options: ForwardOptions & { from?: ResidualStream } = {},
): ForwardResult {
  return tf.tidy(() => {
    const { hidden, captured } = causalLmHidden(params, lm, batch, options);
    if (!hidden || options.output === false) return { captured };
    const { places } = options;
    const wanted = places ? tf.gather(hidden, tf.tensor1d(places, 'int32')) : hidden;
    const [n, length] = places ? [1, places.length] : [batch.n, batch.length];
    const logits = tf.reshape(causalLmLogits(params, lm, wanted), [n, length, lm.vocab]) as Tensor3D;
    return { logits, captured };
  });
}

/**
 * −ln p of every predicted token, [Σ(length − 1)] in row order, without logits at padding. The logit of the target is
 * taken from the target's own row of the unembedding, so nothing of size [tokens, vocab] is kept but the logits. With
 * what the sites asked for hold.
 *
 * @param options.given Ids that stand in the texts without being predicted: they have no loss.
 */
export function causalLmTokenLosses(
  params: NamedTensors,
  lm: CausalLm,
  batch: TokenBatch,
  options: Pick<ForwardOptions, 'interventions' | 'capture'> & { given?: ReadonlySet<number> } = {},
): { losses: Tensor1D; captured: Record<string, Tensor3D> } {
  return tf.tidy(() => {
    const { hidden, captured } = causalLmHidden(params, lm, batch, options);
    const rows: number[] = [];
    for (let row = 0; row < batch.n; row++) {
      for (let column = 0; column + 1 < batch.length; column++) {
        const at = row * batch.length + column;
        if (batch.mask[at] && batch.mask[at + 1] && !options.given?.has(batch.ids[at + 1]!)) rows.push(at);
      }
    }
    const targets = Int32Array.from(rows, (at) => batch.ids[at + 1]!);
    const states = tf.gather(hidden!, tf.tensor1d(rows, 'int32'));
    const total = rowLogSumExp(causalLmLogits(params, lm, states));
    const found = capped(lm, tf.sum(tf.mul(states, embed(params, lm.head, targets)), 1));
    const losses = tf.sub(total, found) as Tensor1D;
    return { losses, captured };
  });
}
