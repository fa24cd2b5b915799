/** @file Cross-group test: a latent that was chosen without one value of a covariate, on the items that have it. */
import type { ConceptSet, Item } from '../../harness/contract.ts';
import { bestLatents, type Candidates, quantiles } from '../../harness/kit/index.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';
import { aurocOf, type Score } from './scores.ts';

/** Examples of each class that a value needs, to choose without it and to be scored on. */
const LEAST = 4;
/** A covariate of more values is left out: it names items rather than groups of them. */
const MOST_VALUES = 12;

/** A way to part items: the value of a covariate, numbers as one of two halves. */
interface Parting {
  covariate: string;
  values: string[];
  of(item: Item): string | undefined;
}

/** The covariates that part a set's items into a few groups. */
export function partings({ items, examples }: Pick<ConceptSet, 'items' | 'examples'>): Parting[] {
  const used = [...new Set(examples.map(({ item }) => item))].map((place) => items[place]!);
  const names = [...new Set(used.flatMap(({ covariates = {} }) => Object.keys(covariates)))].sort();
  return names.flatMap((covariate): Parting[] => {
    const all = used.flatMap(({ covariates }) => covariates?.[covariate] ?? []);
    const numbers = all.filter((value) => typeof value === 'number');
    if (numbers.length === all.length) {
      const [median] = quantiles(numbers, [0.5]);
      const values = [`up to ${median}`, `above ${median}`];
      const of = ({ covariates }: Item) => {
        const value = covariates?.[covariate];
        return typeof value === 'number' ? values[Number(value > median!)] : undefined;
      };
      return [{ covariate, values, of }];
    }
    const values = [...new Set(all.map(String))].sort();
    if (values.length < 2 || values.length > MOST_VALUES) return [];
    const of = ({ covariates }: Item) => {
      const value = covariates?.[covariate];
      return value === undefined ? undefined : String(value);
    };
    return [{ covariate, values, of }];
  });
}

/** The held-out items of one value, and the training items of the others. */
export interface GroupTest {
  name: string;
  positives: Uint32Array;
  negatives: Uint32Array;
  others: ConceptSplit['train'];
}

/** The tests of a concept: of each covariate and value that has enough examples of both classes on both sides. */
export function groupTests(items: readonly Item[], split: ConceptSplit, ways: readonly Parting[]): GroupTest[] {
  return ways.flatMap(({ covariate, values, of }) =>
    values.flatMap((value): GroupTest[] => {
      const inside = (places: Uint32Array) => places.filter((place) => of(items[place]!) === value);
      const outside = [...split.train.items.keys()].filter((i) => {
        const own = of(items[split.train.items[i]!]!);
        return own !== undefined && own !== value;
      });
      const others = {
        items: Uint32Array.from(outside, (i) => split.train.items[i]!),
        labels: Uint8Array.from(outside, (i) => split.train.labels[i]!),
      };
      const shown = others.labels.reduce((sum, label) => sum + label, 0);
      const [positives, negatives] = [inside(split.positives), inside(split.negatives)];
      const least = Math.min(positives.length, negatives.length, shown, others.labels.length - shown);
      return least < LEAST ? [] : [{ name: `${covariate} ${value}`, positives, negatives, others }];
    }),
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean AUROC within groups, by the detector that has seen all of them. */
export const withinGroups = (tests: readonly GroupTest[], score: Score): number | null =>
  tests.length === 0
    ? null
    : mean(tests.map(({ positives, negatives }) => aurocOf(score(positives), score(negatives))));

/** The same by latents that were chosen on the other groups alone, by concept. */
export function unseenGroups(
  tests: readonly (readonly GroupTest[])[],
  candidates: Candidates,
): { auroc: number | null; latents: number[] }[] {
  const best = bestLatents(
    candidates,
    tests.flat().map(({ others }) => others),
  );
  let next = 0;
  return tests.map((own) => {
    const chosen = own.map(() => best[next++]!);
    const aurocs = own.map(({ positives, negatives }, i) => {
      const score: Score = (items) => candidates.values(chosen[i]!.candidate, items);
      return aurocOf(score(positives), score(negatives));
    });
    return { auroc: aurocs.length === 0 ? null : mean(aurocs), latents: chosen.map(({ latent }) => latent) };
  });
}
