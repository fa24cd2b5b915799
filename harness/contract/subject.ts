/** @file A subject: a pretrained network whose activations are read, replaced and steered. */

import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '../num/tf.ts';
import type { Item, RawImage, Site } from './data.ts';
import type { Plugin } from './plugin.ts';

/** Right-padded token ids with the mask of real positions. Shapes [n, length]. */
export interface TokenBatch {
  n: number;
  length: number;
  ids: Int32Array;
  /** 1 at real positions, 0 at padding. */
  mask: Uint8Array;
  /** How many ids of each row are its prompt; absent: nobody knows. For interventions on prompts alone. */
  promptLengths?: Int32Array;
}

/** Tells an intervention where it is: rows of the batch, first absolute position, and which positions are real. */
export interface InterventionContext {
  /** Absolute position of x's first column; > 0 while generating with a cache. */
  offset: number;
  phase: 'prompt' | 'generated';
  /** [n, length] of the current x: 1 at real positions. Rank 2 also for pooled sites (length 1). */
  mask: Tensor2D;
  /** As the batch has it: how many positions of each row are its prompt. */
  promptLengths?: Int32Array;
}

/**
 * Replaces an activation during a forward pass. x is [n, length, d] ([n, 1, d] at pooled sites); returns the same
 * shape. Must be built from differentiable ops where gradients are wanted. Runs inside `tf.tidy`.
 */
export interface Intervention {
  site: string;
  apply(x: Tensor3D, context: InterventionContext): Tensor3D;
}

/** The linear layers of a block; `gate` where its feed-forward layer is gated. */
export type LinearLayer = 'q' | 'k' | 'v' | 'out' | 'gate' | 'up' | 'down';

/**
 * Adds to what a linear layer of a block gives: a change of its weight, such as a LoRA. From x [n · length, in] to
 * [n · length, out]. Must be built from differentiable ops where gradients are wanted. Runs inside `tf.tidy`.
 */
export interface LinearAddition {
  block: number;
  layer: LinearLayer;
  apply(x: Tensor2D): Tensor2D;
}

/** All that is changed in a pass. */
export interface SubjectChange {
  interventions?: Intervention[];
  additions?: LinearAddition[];
}

export interface ForwardOptions extends SubjectChange {
  /** Sites to return. */
  capture?: string[];
  /** false: stop after the last captured site and compute no output. Default true. */
  output?: boolean;
  /** LM: where logits are wanted, row · length + column each; the result has logits [1, places, vocab] then. */
  places?: Int32Array;
}

export interface ForwardResult {
  /** LM logits [n, length, vocab], or those of `places`; absent for encoders or with `output: false`. */
  logits?: Tensor3D;
  /** Embedding [n, dim] of an encoder, a CLIP's not normalised; absent for LMs or with `output: false`. */
  embeds?: Tensor2D;
  /** By site: [n, length, d]. */
  captured: Record<string, Tensor3D>;
}

/** Of `SubjectChange`, interventions are active at prompt and generated positions. */
export interface GenerateOptions extends SubjectChange {
  maxNewTokens: number;
  /** 0 = greedy. */
  temperature?: number;
  topK?: number;
  topP?: number;
  /** One stream per row, derived from this seed and the row's `streams` entry: batching does not change samples. */
  seed?: number;
  /** Stable number of each row's random stream; its index when omitted. */
  streams?: number[];
  /** Stop a row at this token; at the tokenizer's EOS, and any of several that the config's `eos_token_id` lists, when omitted. */
  eosId?: number;
  signal?: AbortSignal;
}

export interface Tokenizer {
  vocabSize: number;
  bosId?: number;
  eosId?: number;
  padId?: number;
  /** Ids of special tokens: what "special tokens excluded" means. */
  specialIds: ReadonlySet<number>;
  /** `offsets`: character span of each id in `text`; [0, 0] for special tokens. */
  encode(text: string, options?: { addSpecialTokens?: boolean }): { ids: number[]; offsets: [number, number][] };
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
}

interface SubjectCommon {
  id: string;
  /** Family plug-in that loaded it, e.g. `llama`. */
  family: string;
  config: Record<string, unknown>;
  parameters: number;
  sites: Site[];
  dispose(): void;
}

/** A causal language model. */
export interface LanguageModel extends SubjectCommon {
  type: 'lm';
  tokenizer: Tokenizer;
  maxLength: number;
  /** The layers that passes can add to, with their widths; absent: none. */
  linearLayers?: readonly { block: number; layer: LinearLayer; in: number; out: number }[];
  /** Ids of each text (special tokens added, cut at `maxLength`), right-padded to the longest. */
  tokenize(texts: string[], options?: { maxLength?: number; addSpecialTokens?: boolean }): TokenBatch;
  forward(batch: TokenBatch, options?: ForwardOptions): ForwardResult;
  /** As `forward`, from x [n, length, d] at a site of the residual stream on: what comes before it is not computed. */
  forwardFrom?(site: string, x: Tensor3D, batch: TokenBatch, options?: ForwardOptions): ForwardResult;
  /** New ids of each row (EOS not included). */
  generate(prompts: number[][], options: GenerateOptions): Promise<number[][]>;
  /** Unembedding as used: logits = finalNorm(x) · W_U; [d, vocab]. */
  unembedding(): Tensor2D;
}

/** What encodes texts, each into one vector. */
interface TextReader {
  tokenizer: Tokenizer;
  /** Ids of each text (special tokens added, cut at the encoder's own limit), right-padded to the longest. */
  tokenize(texts: string[]): TokenBatch;
  forwardText(batch: TokenBatch, options?: ForwardOptions): ForwardResult;
}

/** What encodes images, each into one vector. */
interface ImageReader {
  imageSize: number;
  /** Positions of an image at token sites: patches, and what stands before them (class token, registers). */
  imageTokens?: number;
  /** How many of them stand before the patches. Default 1, the class token. */
  imagePrefix?: number;
  /** Pixel values [n, imageSize, imageSize, 3], resized and normalised by `preprocessor_config.json`. */
  preprocess(images: (RawImage | { path: string })[]): Promise<Tensor4D>;
  forwardImage(pixels: Tensor4D, options?: ForwardOptions): ForwardResult;
  /** As `forwardImage`, from x [n, length, d] at a site of the residual stream on: what comes before is not computed. */
  forwardImageFrom?(site: string, x: Tensor3D, options?: ForwardOptions): ForwardResult;
}

/** A CLIP: two towers and a logit scale. */
export interface Clip extends SubjectCommon, TextReader, ImageReader {
  type: 'clip';
  /** exp(logit_scale), the factor on cosines. */
  logitScale: number;
  /** Added to the scaled cosines where each pair is judged by itself (SigLIP); absent: nothing is. */
  logitBias?: number;
  projectionDim: number;
}

/** An encoder of texts alone: a sentence embedder. */
export interface TextEncoderSubject extends SubjectCommon, TextReader {
  type: 'text-encoder';
  /** Also cut at `maxLength` ids, special ones included. */
  tokenize(texts: string[], options?: { maxLength?: number }): TokenBatch;
}

/** An encoder of images alone. */
export interface ImageEncoderSubject extends SubjectCommon, ImageReader {
  type: 'image-encoder';
}

export type Subject = LanguageModel | Clip | TextEncoderSubject | ImageEncoderSubject;

/** A subject without its weights. */
export interface SubjectOutline {
  sites: Site[];
  parameters: number;
}

/**
 * Parameters drawn anew: each tensor from a normal distribution with the mean and the standard deviation that it has as
 * trained. `all`: every tensor; `blocks`: embeddings, positions and the unembedding stay as trained (the two re-randomised
 * models of Heap et al. 2025, arXiv:2501.17727). What a method scores there, it scores where nothing was learned.
 */
export type RandomInit = 'all' | 'blocks';

/** How a folder is loaded. */
export interface SubjectLoading {
  id: string;
  /** Only of families that say `randomInit`. */
  randomInit?: RandomInit;
}

/** A family of subjects, recognised by `config.json`'s `model_type`. */
export interface SubjectDefinition extends Plugin {
  modelTypes: string[];
  /** What a folder says of itself before its weights are loaded: what a suite asks of its sites is checked by this. */
  outline?(folder: string): Promise<SubjectOutline>;
  /** Loads weights into the chosen backend. Errors are `UserError`s naming file, tensor, expected and found. */
  load(folder: string, options: SubjectLoading): Promise<Subject>;
  /** Whether `load` knows its option `randomInit`; without it a run that asks for random weights is refused. */
  randomInit?: boolean;
}

/** Inputs of a pass over items of either kind of subject. */
export type { Item, Tensor, Tensor1D };
