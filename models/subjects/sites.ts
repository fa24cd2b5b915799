/** @file Names of sites, and the hooks that read and replace activations while a forward pass runs. */
import {
  type ForwardOptions,
  type InterventionContext,
  type LinearAddition,
  type Site,
  type Tensor2D,
  type Tensor3D,
  tf,
} from '../../harness/contract.ts';
import { unknownName } from '../../harness/kit/index.ts';

/**
 * Sites of a stack's blocks between their input and their output, by the part of a pass that they show, in its order. `hook_attn_out`
 * and `hook_mlp_out` are what is added to the stream, so after the norms that some families put there, as in TransformerLens 2.16
 * (`transformer_block.py`) and Gemma Scope (arXiv:2408.05147).
 */
export const INNER_SITES = {
  /** The mixed values of all heads side by side [heads · headDim], which the attention's output layer reads. */
  z: 'attn.hook_z',
  attention: 'hook_attn_out',
  middle: 'hook_resid_mid',
  /** The feed-forward layer's input before the gain of its RMSNorm, which Gemma Scope's transcoders read (its § 5 folds the gain into them). */
  normalized: 'ln2.hook_normalized',
  /** What the feed-forward layer reads, gain and bias of its norm included. */
  mlpIn: 'mlp.hook_in',
  mlp: 'hook_mlp_out',
} as const;

type InnerSite = keyof typeof INNER_SITES;

/** What of a stack decides which sites it has. */
export interface SiteShape {
  layers: number;
  d: number;
  heads: number;
  headDim: number;
  norm: 'rms' | 'layer';
  normPlace?: 'before' | 'after';
  parallel?: boolean;
  names: { mlpNorm?: string };
}

/**
 * Whether a stack has a site. Blocks whose layers stand in parallel have no middle, as in TransformerLens; the input of the
 * feed-forward layer is a site of its own where a norm makes it. What `ln2.hook_normalized` is of a LayerNorm depends there on how
 * the model was processed, so only RMSNorms have it here.
 */
function hasSite({ parallel, norm, normPlace, names }: SiteShape, site: InnerSite): boolean {
  const normed = names.mlpNorm !== undefined && normPlace !== 'after';
  if (site === 'middle') return !parallel;
  if (site === 'normalized') return normed && norm === 'rms';
  return site !== 'mlpIn' || normed;
}

/** Name of the site after the final norm. */
export const FINAL_NORM_SITE = 'ln_final.hook_normalized';

/** Those of a block's inner sites that language models alone have here. */
const OF_TEXTS: readonly InnerSite[] = ['z', 'normalized', 'mlpIn'];

/** Sites of a stack of blocks; names carry `prefix` (`''`, `vision.` or `text.`). `finalNorm` is that site's kind; `inside` adds those within the layers. */
export function stackSites(
  stack: SiteShape,
  prefix: string,
  modality: Site['modality'],
  finalNorm: Site['kind'],
  inside = false,
): Site[] {
  const { layers, d, heads, headDim } = stack;
  const inner = (Object.keys(INNER_SITES) as InnerSite[]).filter(
    (site) => (inside || !OF_TEXTS.includes(site)) && hasSite(stack, site),
  );
  const hooks = ['hook_resid_pre', ...inner.map((site) => INNER_SITES[site]), 'hook_resid_post'];
  const widthOf = (hook: string) => (hook === INNER_SITES.z ? heads * headDim : d);
  const blocks = Array.from({ length: layers }, (_, i) =>
    hooks.map((hook): Site => ({ name: `${prefix}blocks.${i}.${hook}`, d: widthOf(hook), modality, kind: 'tokens' })),
  );
  return [...blocks.flat(), { name: `${prefix}${FINAL_NORM_SITE}`, d, modality, kind: finalNorm }];
}

/** What a pass reports its activations to. */
export interface Hooks {
  /**
   * Hands on x [n·length, d] at a site, after the interventions there, in their order, have replaced it. What is
   * captured is what the network goes on with.
   */
  visit(site: string, x: Tensor2D): Tensor2D;
  /** Whether something is captured or replaced at a site. */
  wants(site: string): boolean;
  /** Activations captured since the last call: to be returned from the `tf.tidy` that they were made in. */
  take(): Record<string, Tensor3D>;
  /** True as soon as nothing that is still to come is wanted. */
  finished(): boolean;
  /** What is added to the outputs of linear layers. */
  additions: readonly LinearAddition[];
}

/** Where a pass stands, for the interventions' context. `mask`: row-major [n, t], 1 at real positions. */
export interface PassPosition {
  n: number;
  mask: Uint8Array;
  offset: number;
  phase: InterventionContext['phase'];
  promptLengths?: Int32Array | undefined;
}

/**
 * Hooks for one pass.
 *
 * @param sites All that the subject has; asked for only where something is captured or replaced.
 * @throws UserError for a site that the subject does not have.
 */
export function createHooks(options: ForwardOptions, sites: () => Site[], position: PassPosition): Hooks {
  const { capture = [], interventions = [], additions = [], output = true } = options;
  const asked = [...capture, ...interventions.map(({ site }) => site)];
  const known = asked.length > 0 ? sites().map(({ name }) => name) : [];
  for (const site of asked) if (!known.includes(site)) throw unknownName('site', site, known);
  const wanted = new Set(capture);
  let fresh: Record<string, Tensor3D> = {};

  function contextFor(length: number): InterventionContext {
    const { n, mask, offset, phase, promptLengths } = position;
    const pooled = length * n !== mask.length;
    let made: Tensor2D | undefined;
    return {
      offset: pooled ? 0 : offset,
      phase,
      ...(promptLengths && !pooled ? { promptLengths } : {}),
      // Few interventions look at it, and a step of generation has few rows to share its costs among.
      get mask() {
        made ??= tf.tensor2d(pooled ? new Float32Array(n * length).fill(1) : Float32Array.from(mask), [n, length]);
        return made;
      },
    };
  }

  function visit(site: string, x: Tensor2D): Tensor2D {
    const active = interventions.filter((intervention) => intervention.site === site);
    if (active.length === 0 && !wanted.has(site)) return x;
    const shape: [number, number, number] = [position.n, x.shape[0] / Math.max(1, position.n), x.shape[1]];
    let value = tf.reshape(x, shape) as Tensor3D;
    if (active.length > 0) {
      const context = contextFor(shape[1]);
      for (const { apply } of active) value = checkShape(site, apply(value, context), shape);
    }
    if (wanted.delete(site)) fresh[site] = value;
    return active.length > 0 ? tf.reshape(value, x.shape) : x;
  }

  return {
    visit,
    wants: (site) => wanted.has(site) || interventions.some((intervention) => intervention.site === site),
    take: () => {
      const taken = fresh;
      fresh = {};
      return taken;
    },
    finished: () => !output && wanted.size === 0,
    additions,
  };
}

function checkShape(site: string, x: Tensor3D, expected: number[]): Tensor3D {
  if (x.shape.join() === expected.join()) return x;
  throw new Error(`intervention at ${site}: expected an activation [${expected}], found [${x.shape}]`);
}
