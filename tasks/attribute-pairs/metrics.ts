/** @file The numbers of the task `attribute-pairs`, and their cells. */
import type { MetricDefinition, MetricValue, RowSamples } from '../../harness/contract.ts';
import {
  binaryMatchingVersion,
  emptyCell,
  fBeta,
  meanInterval,
  measuredCell,
  plainCell,
} from '../../harness/kit/index.ts';
import type { Matched, Speaks } from './matching.ts';
import type { PairResponse } from './responses.ts';

export const METRICS = {
  pair_f1: {
    description:
      'F1 of the signed responses of the latents of all attribute values to a pair (right: the added value up, the ' +
      'removed one down; wrong: any other), mean over held-out pairs. 0 of a dictionary that does not answer.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    main: true,
    version: binaryMatchingVersion,
  },
  tapascore: {
    description:
      'TAPAScore: mean response of the latents of the added value less that of the removed one, over held-out pairs; ' +
      'latents that belong to both are left out.',
    direction: 'max',
    range: [-2, 2],
    unit: '',
    version: binaryMatchingVersion,
  },
  tapascore_published: {
    description:
      'TAPAScore as published: latents are matched, and answer, where they fire above 0, whatever the threshold of the row.',
    direction: 'max',
    range: [-2, 2],
    unit: '',
    version: binaryMatchingVersion,
  },
  stay: {
    description: 'Δstay: mean |response| of the latents of a value that both images of a pair show. Lower is better.',
    direction: 'min',
    range: [0, 1],
    unit: '',
    version: binaryMatchingVersion,
  },
  match_f1: {
    description:
      'MATCHScore on the held-out images: F1 of "any latent of the value fires" against the value, mean over values.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: binaryMatchingVersion,
  },
  coalition: {
    description: 'Mean number of latents that belong to a value.',
    direction: 'none',
    range: [0, null],
    unit: 'latents',
    version: binaryMatchingVersion,
  },
} satisfies Record<string, MetricDefinition>;

export function cellsOf(
  responses: readonly PairResponse[],
  matched: readonly (readonly Matched[])[],
  heldOut: readonly number[],
): Record<Exclude<keyof typeof METRICS, 'tapascore_published'>, MetricValue> {
  const stays = responses.map(({ stay }) => stay).filter((stay) => stay !== null);
  const mean = (values: number[], range: readonly [number | null, number | null]) =>
    measuredCell(meanInterval(values, range), 'no pairs');
  return {
    pair_f1: mean(
      responses.map(({ f1 }) => f1),
      [0, 1],
    ),
    tapascore: mean(
      responses.map(({ added, removed }) => added - removed),
      [-2, 2],
    ),
    stay: stays.length === 0 ? emptyCell('no pair keeps a value') : mean(stays, [0, 1]),
    match_f1: mean([...heldOut], [0, 1]),
    coalition: plainCell(matched.reduce((sum, { length }) => sum + length, 0) / matched.length, matched.length),
  };
}

/** F1 of the latents of each value on images of which `shown`, [values, images], says what they show. */
export function heldOutF1(shown: Uint8Array, images: number, matched: readonly (readonly Matched[])[], speaks: Speaks) {
  return matched.map((latents, value) => {
    let [hits, found, wanted] = [0, 0, 0];
    for (let image = 0; image < images; image++) {
      const flag = shown[value * images + image]!;
      wanted += flag;
      if (!speaks(image, latents)) continue;
      found++;
      hits += flag;
    }
    return fBeta(hits, found, wanted, 1);
  });
}

/** The main metric by pair. */
export function pairSamples(ids: string[], responses: readonly PairResponse[]): RowSamples {
  return { unit: 'pair', ids, values: responses.map(({ f1 }) => f1) };
}
