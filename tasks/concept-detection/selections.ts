/** @file The ways in which a method's detector of each concept is chosen: one row of the result each. */
import type {
  ActivationSet,
  ConceptSet,
  FittedMethod,
  Item,
  LabelledActivations,
  PooledLatents,
} from '../../harness/contract.ts';
import {
  bestLatents,
  type Candidates,
  createCandidates,
  csrConcat,
  joined,
  matchLabels,
} from '../../harness/kit/index.ts';
import { detectorScores, givesScores } from './detector-scores.ts';
import { fStatistics } from './f-statistic.ts';
import { fitSparseProbe, topCandidates } from './sparse-probe.ts';
import { type ConceptSplit, itemsOf } from './splits.ts';

/** Scores any items of the concept set by a concept's chosen detector. */
export type Scorer = (items: Uint32Array) => Float64Array;

/** A chosen detector, with what the result says of the choice. */
export interface Chosen {
  score: Scorer;
  details: Record<string, unknown>;
}

/** One value of the axis `selection`; undefined for a concept that it has no detector for. */
export interface Selection {
  name: string;
  choose(concept: number, split: ConceptSplit): Chosen | undefined;
}

/** The selections that a method allows, given its latents of all items if it has any. */
export async function methodSelections(
  method: FittedMethod,
  labelled: LabelledActivations,
  splits: readonly ConceptSplit[],
  pooled: PooledLatents | undefined,
  further: FurtherItems | undefined,
  options: { probeK: number[]; signal?: AbortSignal; progress: (done: number, total: number, note: string) => void },
): Promise<Selection[]> {
  const selections: Selection[] = [];
  if (pooled) {
    const all = further?.pooled ? appended(pooled, further.pooled) : pooled;
    selections.push(...latentSelections(createCandidates(all), method, labelled, splits, options.probeK));
  }
  const supervised = labelled.set.concepts.some((concept) => givesScores(method.detector?.(concept)));
  if (supervised) {
    const progress = (done: number, total: number) => options.progress(done, total, 'detector scores');
    const run = { signal: options.signal, progress };
    const own = await detectorScores(method, labelled, splits.map(itemsOf), run);
    const changed = further && (await furtherScores(method, labelled.set, further, run));
    const scores = own.map((row, c) => row && (changed?.[c] ? joined(Float32Array, [row, changed[c]]) : row));
    selections.push({
      name: 'detector',
      choose: (concept) => {
        const all = scores[concept];
        return all && { score: (items) => Float64Array.from(items, (item) => all[item]!), details: {} };
      },
    });
  }
  return selections;
}

/** Items that a task makes itself, e.g. changed texts, as a method sees them. They are numbered after those of the concept set. */
export interface FurtherItems {
  items: readonly Item[];
  /** By concept, the places of those that are scored. */
  wanted: readonly Uint32Array[];
  activations: ActivationSet;
  /** Of a method with latents. */
  pooled?: PooledLatents;
}

/** Scores of further items by the detector of each concept. */
function furtherScores(
  method: FittedMethod,
  { concepts, items: own }: ConceptSet,
  { items, wanted, activations }: FurtherItems,
  run: { signal?: AbortSignal; progress: (done: number, total: number) => void },
): Promise<(Float32Array | undefined)[]> {
  const places = wanted.map((each) => each.map((place) => place - own.length));
  return detectorScores(method, { set: { concepts, items: [...items], examples: [] }, activations }, places, run);
}

/** The latents of further items after those of the first. */
function appended(pooled: PooledLatents, more: PooledLatents): PooledLatents {
  const items = pooled.items + more.items;
  if (pooled.kind === 'sparse' && more.kind === 'sparse') {
    return { ...pooled, items, max: csrConcat([pooled.max, more.max]) };
  }
  if (pooled.kind === 'dense' && more.kind === 'dense') {
    const [max, min] = [joined(Float32Array, [pooled.max, more.max]), joined(Float32Array, [pooled.min, more.min])];
    return { ...pooled, items, max, min };
  }
  throw new Error('internal: latents of one method are of two kinds');
}

function latentSelections(
  candidates: Candidates,
  method: FittedMethod,
  labelled: LabelledActivations,
  splits: readonly ConceptSplit[],
  probeK: number[],
): Selection[] {
  const single = (candidate: number): Chosen => ({
    score: (items) => candidates.values(candidate, items),
    details: { latent: candidates.latentOf(candidate), sign: candidates.signOf(candidate) },
  });
  const best = bestLatents(
    candidates,
    splits.map(({ train }) => train),
  );
  const selections: Selection[] = [
    {
      name: 'auroc',
      choose: (concept) => {
        const { candidate, trainAuroc } = best[concept]!;
        const chosen = single(candidate);
        return { ...chosen, details: { ...chosen.details, train_auroc: trainAuroc } };
      },
    },
  ];
  // A smaller probe takes the first of a larger one's candidates.
  const most = Math.max(0, ...probeK);
  const ranked = splits.map(({ train }) =>
    most === 0 ? [] : topCandidates(candidates, fStatistics(candidates, train), most),
  );
  for (const k of probeK) {
    selections.push({
      name: `probe-k${k}`,
      choose: (concept, { train }) => {
        const chosen = ranked[concept]!.slice(0, k);
        const probe = fitSparseProbe(candidates, chosen, train);
        const details = {
          latents: chosen.map(candidates.latentOf),
          signs: chosen.map(candidates.signOf),
          weights: [...probe.weights],
        };
        return { score: probe.score, details };
      },
    });
  }
  if (method.labels) {
    const matches = matchLabels(method.labels, labelled.set.concepts);
    selections.push({
      name: 'label',
      choose: (concept) => {
        const match = matches[concept];
        if (!match) return undefined;
        const chosen = single(match.latent);
        return { ...chosen, details: { ...chosen.details, latent_label: match.label, similarity: match.similarity } };
      },
    });
  }
  return selections;
}
