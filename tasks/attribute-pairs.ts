/** @file Attribute pairs: do the latents of an attribute answer when that attribute of an image changes, and only then? */
import { type ActivationSet, defineTask, type ResultRow, type TaskContext, UserError } from '../harness/contract.ts';
import { allUnavailable, createRng, firstItems, poolLatents, rowsAsSet } from '../harness/kit/index.ts';
import {
  annotations,
  type Change,
  changesOf,
  requireHeldOut,
  requireTraining,
  unseenMarks,
  valuesOf,
} from './attribute-pairs/annotations.ts';
import { pairRows } from './attribute-pairs/images.ts';
import { type Matched, matchValue, rankedCandidates, speaker, type Threshold } from './attribute-pairs/matching.ts';
import { cellsOf, heldOutF1, METRICS, pairSamples } from './attribute-pairs/metrics.ts';
import { type PairResponse, pairResponses } from './attribute-pairs/responses.ts';

interface Options {
  images: number;
  pairs: number;
}

/** What is the same for every method. */
interface Known {
  /** Names of the attribute values, `colour=red`. */
  values: string[];
  changes: Change[];
  rowsPerImage: number;
}

type Context = TaskContext<Options, Known>;

/**
 * Klotz et al. 2026. Theirs: the matching (fully binary matching pursuit, F_0.5, at most three latents, on images with
 * annotations), TAPAScore, Δstay and MATCHScore, with a latent firing where its code is above 0. As their published code
 * has it, latents that belong to both the added and the removed value do not count in TAPAScore, and Δstay is over the
 * values that an image shows. Ours: `pair_f1`, one number in [0, 1] for both sides, how well a change is told and how well all
 * else stays put; the threshold `trained`, at which each latent fires for each value, of best F_0.5 on the images of
 * training; the control `shuffled`, matched to the annotations of other images, which is the level of chance; MATCHScore on
 * held-out images. An image's code is the maximum over its kept positions; of signed codes, negated latents may belong to
 * a value too.
 *
 * Ranked is `trained`: above 0 a direction that is not sparse fires on some patch of nearly every image, so dense methods
 * would lose by their form alone, and sparse ones by how often they fire.
 */
export default defineTask<Options, Known>({
  id: 'attribute-pairs',
  title: 'Attribute pairs (TAPAScore)',
  paper: 'Klotz et al. 2026, arXiv:2606.24716',
  version: 1,
  options: {
    images: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description: 'Training images that latents are matched on.',
    },
    pairs: { type: 'integer', minimum: 2, default: 24, description: 'Held-out pairs of each attribute.' },
  },
  metrics: METRICS,
  words: [],
  axes: {
    threshold:
      'fires: a latent fires above 0; trained: above the threshold of best F0.5 on the training images, chosen for each value',
    matching:
      'annotations: latents are matched to what images show; shuffled: to what other images show, which is chance',
  },
  shows: {
    columns: ['tapascore', 'tapascore_published', 'stay', 'match_f1', 'coalition'],
    ranked: { threshold: ['trained'], matching: ['annotations'] },
    // Means of the control `shuffled` over the methods of the suite attribute-pairs: .024 to .05.
    chance: 0.04,
    fronts: [
      {
        x: { metric: 'l0', task: 'reconstruction' },
        y: 'pair_f1',
        title: 'Answers to pairs along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
    ],
    scatter: {
      x: 'match_f1',
      y: 'pair_f1',
      title: 'Answers to pairs against the matching score',
      caption: 'What goes with an attribute need not answer to it: matching is correlation, a pair is an experiment.',
    },
  },
  seeded: false,
  controls: ['random'],
  unavailable({ dataset, subject, site }) {
    if (!dataset.attributePairs) {
      return `the dataset ${dataset.id} makes no pairs of items that differ in one attribute (attributePairs)`;
    }
    if (subject?.type !== 'clip') return 'needs a CLIP that reads the images of the pairs';
    return site.modality === 'image' ? undefined : 'needs a site of the vision tower';
  },
  async prepare(context) {
    const { dataset, subject, site, test, train, options, signal, progress } = context;
    if (subject?.type !== 'clip') throw new Error('internal: attribute-pairs ran without a CLIP');
    const pairs = await dataset.attributePairs!(options.pairs);
    if (pairs.length < 2) {
      throw new UserError(
        `attribute-pairs: dataset ${dataset.id}: expected at least two pairs that differ in one attribute, found ${pairs.length}`,
      );
    }
    const values = valuesOf(pairs);
    const changes = changesOf(dataset.id, pairs, values);
    const training = await dataset.corpus('train', train.bounds.length - 1);
    const items = training.slice(0, trainImages(train, options));
    const shown = annotations(values, items);
    requireTraining(dataset.id, values, items, shown, trainImages(train, options));
    await requireHeldOut(dataset.id, pairs, training);
    const heldOut = annotations(
      values,
      pairs.flatMap(({ before, after }) => [before, after]),
    );
    const { x, rowsPerImage } = await pairRows(subject, site, test, pairs, (done, total) => {
      signal?.throwIfAborted();
      progress(done, total, 'pairs');
    });
    return {
      json: { values, changes, rowsPerImage },
      arrays: {
        rows: { shape: [x.length / site.d, site.d], data: x },
        shown: { shape: [values.length, items.length], data: shown },
        held_out: { shape: [values.length, 2 * pairs.length], data: heldOut },
      },
    };
  },
  async run(context) {
    const { method, prepared, train, options, signal } = context;
    if (!method.encode) {
      const unavailable = allUnavailable(METRICS, `'${method.id}' has no codes`);
      return { rows: [{ axes: { threshold: 'trained', matching: 'annotations' }, metrics: {}, unavailable }] };
    }
    const { values, rowsPerImage } = prepared.json;
    const images = trainImages(train, options);
    const ranked = rankedCandidates(await poolLatents(method, firstItems(train, images), { signal }));
    const x = prepared.arrays['rows']!.data as Float32Array;
    const ofPairs = await poolLatents(method, rowsAsSet(x, train.d_in, { each: rowsPerImage }), { signal });
    const shown = prepared.arrays['shown']!.data as Uint8Array;
    const order = createRng('attribute-pairs/shuffled').permutation(images);
    const rowOf = (threshold: Threshold, matching: 'annotations' | 'shuffled') => {
      signal?.throwIfAborted();
      const matched = values.map((_, value) => {
        const flags = shown.subarray(value * images, (value + 1) * images);
        return matchValue(
          matching === 'annotations' ? flags : Uint8Array.from(order, (i) => flags[i]!),
          ranked,
          threshold,
        );
      });
      return scored(context, { threshold, matching }, matched, speaker(ofPairs, matched));
    };
    const rowsOf = (matching: 'annotations' | 'shuffled') => {
      const fires = rowOf('fires', matching);
      const published = { tapascore_published: fires.row.metrics['tapascore']! };
      return [rowOf('trained', matching), fires].map(({ row, details }) => ({
        row: { ...row, metrics: { ...row.metrics, ...published } },
        details,
      }));
    };
    const [own, control] = [rowsOf('annotations'), rowsOf('shuffled')];
    return {
      rows: [...own, ...control].map(({ row }) => row),
      details: Object.fromEntries(own.map(({ row, details }) => [row.axes['threshold']!, details])),
      marks: unseenMarks(values, shown, images),
    };
  },
});

const trainImages = ({ bounds }: ActivationSet, { images }: Options) => Math.min(images, bounds.length - 1);

function scored(
  { prepared, method }: Context,
  axes: { threshold: Threshold; matching: 'annotations' | 'shuffled' },
  matched: Matched[][],
  speaks: ReturnType<typeof speaker>,
): { row: ResultRow; details: Record<string, unknown> } {
  const { values, changes } = prepared.json;
  const responses = pairResponses(changes, matched, speaks);
  const heldOut = heldOutF1(prepared.arrays['held_out']!.data as Uint8Array, 2 * changes.length, matched, speaks);
  const control = axes.matching === 'shuffled';
  const row: ResultRow = {
    axes,
    metrics: cellsOf(responses, matched, heldOut),
    ...(control
      ? { control }
      : {
          samples: pairSamples(
            changes.map(({ attribute }, p) => `${attribute} ${p}`),
            responses,
          ),
        }),
  };
  const latents = method.d_sae!;
  const details = {
    attributes: byAttribute(changes, responses),
    values: values.map((value, v) => ({
      value,
      match_f1: heldOut[v],
      latents: matched[v]!.map(({ candidate, threshold }) => ({
        latent: candidate % latents,
        sign: candidate < latents ? 1 : -1,
        threshold,
      })),
    })),
  };
  return { row, details };
}

/** Means of each attribute's pairs. */
function byAttribute(changes: readonly Change[], responses: readonly PairResponse[]): Record<string, unknown>[] {
  return [...new Set(changes.map(({ attribute }) => attribute))].map((attribute) => {
    const own = responses.filter((_, p) => changes[p]!.attribute === attribute);
    const mean = (of: (response: PairResponse) => number) => own.reduce((sum, each) => sum + of(each), 0) / own.length;
    return {
      attribute,
      pairs: own.length,
      pair_f1: mean(({ f1 }) => f1),
      tapascore: mean(({ added, removed }) => added - removed),
    };
  });
}
