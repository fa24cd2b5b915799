/** @file Names of sites, and the hooks that read and replace activations while a forward pass runs. */
import {
  type ForwardOptions,
  type InterventionContext,
  type Site,
  type Tensor2D,
  type Tensor3D,
  tf,
} from '../../harness/contract.ts';
import { unknownName } from '../../harness/kit/index.ts';

/**
 * Sites inside a block, in the order in which a forward pass comes by. `hook_attn_out` and `hook_mlp_out` are what is added
 * to the stream, so after the norms that some families put there, as in TransformerLens 2.16 (`transformer_block.py`) and
 * Gemma Scope (arXiv:2408.05147). Blocks whose layers stand in parallel have no `hook_resid_mid`, there as here.
 */
export const BLOCK_SITES = ['hook_resid_pre', 'hook_attn_out', 'hook_resid_mid', 'hook_mlp_out', 'hook_resid_post'];

/** Name of the site after the final norm. */
export const FINAL_NORM_SITE = 'ln_final.hook_normalized';

/** Sites of a stack of blocks; names carry `prefix` (`''`, `vision.` or `text.`). `finalNorm` is that site's kind. */
export function stackSites(
  stack: { layers: number; d: number; parallel?: boolean },
  prefix: string,
  modality: Site['modality'],
  finalNorm: Site['kind'],
): Site[] {
  const { layers, d, parallel } = stack;
  const inside = BLOCK_SITES.filter((hook) => !(parallel && hook === 'hook_resid_mid'));
  const blocks = Array.from({ length: layers }, (_, i) => inside.map((hook) => `${prefix}blocks.${i}.${hook}`));
  const inner = blocks.flat().map((name): Site => ({ name, d, modality, kind: 'tokens' }));
  return [...inner, { name: `${prefix}${FINAL_NORM_SITE}`, d, modality, kind: finalNorm }];
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
  const { capture = [], interventions = [], output = true } = options;
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
  };
}

function checkShape(site: string, x: Tensor3D, expected: number[]): Tensor3D {
  if (x.shape.join() === expected.join()) return x;
  throw new Error(`intervention at ${site}: expected an activation [${expected}], found [${x.shape}]`);
}
