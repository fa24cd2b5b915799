/** @file The ways in which a method's detector of each concept is chosen: one row of the result each. */
import type { FittedMethod, LabelledActivations, PooledLatents } from '../../harness/contract.ts';
import { bestLatents, type Candidates, createCandidates } from '../../harness/kit/index.ts';
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
  options: { probeK: number[]; signal?: AbortSignal; progress: (done: number, total: number, note: string) => void },
): Promise<Selection[]> {
  const selections: Selection[] = [];
  if (pooled) {
    selections.push(...latentSelections(createCandidates(pooled), method, labelled, splits, options.probeK));
  }
  const supervised = labelled.set.concepts.some((concept) => givesScores(method.detector?.(concept)));
  if (supervised) {
    const progress = (done: number, total: number) => options.progress(done, total, 'detector scores');
    const scores = await detectorScores(method, labelled, splits.map(itemsOf), { signal: options.signal, progress });
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
    const latents = latentsByLabel(method.labels);
    selections.push({
      name: 'label',
      choose: (concept) => {
        const { id, label } = labelled.set.concepts[concept]!;
        const latent = latents.get(normalise(label)) ?? latents.get(normalise(id));
        return latent === undefined ? undefined : single(latent);
      },
    });
  }
  return selections;
}

/** The first latent of each label, as AxBench takes it. */
function latentsByLabel(labels: Record<number, string>): Map<string, number> {
  const latents = new Map<string, number>();
  const entries = Object.entries(labels).map(([latent, label]) => ({
    latent: Number(latent),
    label: normalise(label),
  }));
  for (const { latent, label } of entries.sort((a, b) => a.latent - b.latent)) {
    if (!latents.has(label)) latents.set(label, latent);
  }
  return latents;
}

function normalise(label: string): string {
  return label.trim().toLowerCase().replaceAll(/\s+/g, ' ');
}
