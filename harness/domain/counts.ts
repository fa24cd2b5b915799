/** @file How many examples of each kind a concept has, and whether that is enough to be scored. */
import { type Domain, LABEL } from './domain.ts';
import type { DomainPart, DomainSplit } from './splits.ts';

/** Fewer positives or negatives of a part give no curve. */
export const LEAST_EXAMPLES = 2;

export interface LabelCounts {
  positives: number;
  negatives: number;
  hardNegatives: number;
}

export interface ConceptCounts extends Record<DomainPart, LabelCounts> {
  /** Of the whole domain, those included that are left out of both parts. */
  all: LabelCounts;
  unknown: number;
}

const none = (): LabelCounts => ({ positives: 0, negatives: 0, hardNegatives: 0 });

const KIND: ReadonlyMap<number, keyof LabelCounts> = new Map([
  [LABEL.positive, 'positives'],
  [LABEL.negative, 'negatives'],
  [LABEL.hardNegative, 'hardNegatives'],
]);

/** By concept. */
export function countLabels(
  { labels }: Pick<Domain, 'labels'>,
  { partOf }: Pick<DomainSplit, 'partOf'>,
): ConceptCounts[] {
  return labels.map((own) => {
    const counts: ConceptCounts = { all: none(), train: none(), test: none(), unknown: 0 };
    own.forEach((label, i) => {
      const kind = KIND.get(label);
      if (kind === undefined) {
        counts.unknown++;
        return;
      }
      counts.all[kind]++;
      const part = partOf[i];
      if (part !== undefined) counts[part][kind]++;
    });
    return counts;
  });
}

/** Why a concept cannot be scored; undefined where it can. */
export function tooSmall({ train, test }: ConceptCounts): string | undefined {
  for (const [part, counts] of Object.entries({ train, test })) {
    for (const kind of ['positives', 'negatives'] as const) {
      if (counts[kind] < LEAST_EXAMPLES) return `${counts[kind]} ${kind} in the ${part} part, needs ${LEAST_EXAMPLES}`;
    }
  }
  return undefined;
}

/** Share of positives among labelled examples, hard negatives being negatives. */
export const prevalenceOf = ({ all }: ConceptCounts): { positives: number; labelled: number } => ({
  positives: all.positives,
  labelled: all.positives + all.negatives + all.hardNegatives,
});
