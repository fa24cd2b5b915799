/** @file What is fixed about a stack of blocks, and the names of its tensors. */
import type { BlockShape } from '../../harness/kit/index.ts';
import type { StoredLinear } from './weights.ts';

/** Names of a block's tensors after the block's own prefix, without `.weight` and `.bias`. */
export interface BlockNames {
  /** Of the attention's input; in most models. */
  attentionNorm?: string;
  q: string;
  k: string;
  v: string;
  /** Norms of queries and keys before they are turned: of each head where `queryKeyNorm` says so, else of all heads at once. */
  qNorm?: string;
  kNorm?: string;
  out: string;
  /** Of what the attention adds to the stream (Gemma 2, OLMo 2). */
  attentionPostNorm?: string;
  mlpNorm?: string;
  /** In gated feed-forward layers. */
  gate?: string;
  up: string;
  down: string;
  /** Of what the feed-forward layer adds. */
  mlpPostNorm?: string;
  /** Factors [d] on what the attention and the feed-forward layer add to the stream, by their whole names (LayerScale). */
  attentionScale?: string;
  mlpScale?: string;
}

/** Layers in which a query sees the last `size` columns alone, its own among them. */
export interface AttentionWindow {
  size: number;
  in: (layer: number) => boolean;
}

/** Architecture of one stack of blocks: what is fixed about each, and how many there are under which names. */
export interface StackSpec extends BlockShape {
  layers: number;
  /**
   * Where the norms of a block stand: before its attention and its feed-forward layer (the default), or after what each
   * adds to the stream, which is then of normalised states throughout (BERT).
   */
  normPlace?: 'before' | 'after';
  /** Which layers have biases; `out`, the attention's last, as the others of it unless it is said. */
  bias: BlockShape['bias'] & { norm: boolean; out?: boolean };
  /** Prefix of a block's tensors, e.g. `model.layers.3.`. */
  blockPrefix: (layer: number) => string;
  names: BlockNames;
  /** The feed-forward layer reads the block's input, as the attention does: the stream has no middle (GPT-NeoX). */
  parallel?: boolean;
  /** The gain of a norm is 1 + weight (Gemma). */
  gainOffset?: boolean;
  /** What `qNorm` and `kNorm` are norms of. */
  queryKeyNorm?: 'head' | 'row';
  /** Factor on the scores; 1/√headDim when omitted. */
  scale?: number;
  /** Scores s become cap · tanh(s / cap). */
  scoreCap?: number;
  window?: AttentionWindow;
  /** How files hold a block's linear layers, by their names there after the prefix, where not each as it is. */
  stored?: Record<string, StoredLinear>;
}
