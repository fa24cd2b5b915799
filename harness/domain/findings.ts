/** @file What a person should know of a domain before computing on it: counts by concept, copies, leaks, lengths, contradictions. */
import { auroc } from '../num/metrics/roc.ts';
import { countLabels, type LabelCounts, tooSmall } from './counts.ts';
import { type Domain, LABEL } from './domain.ts';
import { nearCopies } from './near-copies.ts';
import { contentKey, type DomainSplit } from './splits.ts';

/** Fewer positives or negatives of a part give intervals too wide to tell methods apart. */
const FEW = 10;
/** Ids that a finding lists. */
const SHOWN = 5;

/** One concept. */
export interface ConceptFindings {
  name: string;
  train: LabelCounts;
  test: LabelCounts;
  unknown: number;
  /** Share of positives among labelled examples; null where none is labelled. */
  prevalence: number | null;
  /** As concepts.csv declares it of the population. */
  declaredPrevalence?: number;
  /** Groups that have a positive. */
  groups: number;
  /** Words of positives and of negatives, medians; absent for images. */
  words?: [number, number];
  /** AUROC of the length alone: .5 where it tells nothing. */
  lengthAuroc?: number;
  /** Why it cannot be scored, or is scored badly. */
  small?: string;
}

export interface DomainFindings {
  modality: Domain['modality'];
  examples: number;
  parts: { train: number; test: number; leftOut: number };
  declared: boolean;
  groups: number;
  /** Examples in a group of their own although the table names groups. */
  ungrouped: number;
  unlabelled: number;
  covariates: Domain['covariates'];
  texts: 'private' | 'open';
  concepts: ConceptFindings[];
  /** What is wrong or likely to mislead, in words, with ids and never with texts. */
  warnings: string[];
}

const idsOf = ({ examples }: Domain, places: readonly number[]): string => {
  const names = places.slice(0, SHOWN).map((place) => examples[place]!.id);
  return `${names.join(', ')}${places.length > SHOWN ? ` and ${places.length - SHOWN} more` : ''}`;
};

const wordsIn = (text = ''): number => text.split(/\s+/).filter(Boolean).length;

function median(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

/** @param words Of each example; undefined for images. */
function lengths(words: Float64Array | undefined, own: Int8Array): Pick<ConceptFindings, 'words' | 'lengthAuroc'> {
  if (words === undefined) return {};
  const of = (label: number) => words.filter((_, i) => own[i] === label);
  const [positives, negatives] = [of(LABEL.positive), of(LABEL.negative)];
  if (positives.length === 0 || negatives.length === 0) return {};
  const both = new Float64Array([...positives, ...negatives]);
  const area = auroc(both, new Uint8Array(both.length).fill(1, 0, positives.length))!;
  return { words: [median(positives), median(negatives)], lengthAuroc: area };
}

function conceptFindings(domain: Domain, { partOf, unitOf }: DomainSplit): ConceptFindings[] {
  const words =
    domain.modality === 'text' ? Float64Array.from(domain.examples, ({ text }) => wordsIn(text)) : undefined;
  return countLabels(domain, { partOf }).map((counts, c) => {
    const own = domain.labels[c]!;
    const { all, train, test, unknown } = counts;
    const { name, prevalence: declared } = domain.concepts[c]!;
    const labelled = all.positives + all.negatives + all.hardNegatives;
    const few = Math.min(train.positives, train.negatives, test.positives, test.negatives) < FEW;
    const small =
      tooSmall(counts) ?? (few ? `fewer than ${FEW} positives or negatives in a part: wide intervals` : undefined);
    return {
      ...{ name, train, test, unknown },
      prevalence: labelled === 0 ? null : all.positives / labelled,
      ...(declared === undefined ? {} : { declaredPrevalence: declared }),
      groups: new Set([...own.keys()].filter((i) => own[i] === LABEL.positive).map((i) => unitOf[i])).size,
      ...lengths(words, own),
      ...(small === undefined ? {} : { small }),
    };
  });
}

/** Sets of places of the same text, of two or more. */
function copies(keys: readonly string[]): number[][] {
  const places = new Map<string, number[]>();
  keys.forEach((key, place) => {
    const own = places.get(key);
    if (own) own.push(place);
    else places.set(key, [place]);
  });
  return [...places.values()].filter(({ length }) => length > 1);
}

function copyWarnings(domain: Domain, keys: readonly string[], { partOf, leftOut }: DomainSplit): string[] {
  const same = copies(keys);
  const what = `${domain.modality}s`;
  const warnings: string[] = [];
  if (same.length > 0) {
    const more = same.reduce((sum, { length }) => sum + length - 1, 0);
    const first = same.map(([place]) => place!);
    warnings.push(
      `${more} ${what} repeat another (of ${idsOf(domain, first)}): copies stay in one part, and count as often as they stand there`,
    );
  }
  const torn = same.filter((places) =>
    domain.labels.some((own) => {
      const said = new Set(places.map((place) => own[place]!));
      return said.has(LABEL.positive) && (said.has(LABEL.negative) || said.has(LABEL.hardNegative));
    }),
  );
  if (torn.length > 0) {
    const first = torn.map(([place]) => place!);
    warnings.push(
      `${torn.length} ${what} are labelled positive in one row and negative in another (${idsOf(domain, first)})`,
    );
  }
  if (leftOut > 0) {
    warnings.push(
      `leak: ${leftOut} training examples have their copy or group in the test part as declared; runs leave them out of training`,
    );
  }
  const near = domain.modality === 'text' ? nearCopies(keys, (place) => partOf[place] === 'test') : [];
  if (near.length > 0) {
    const pairs = near.slice(0, SHOWN).map((pair) => pair.map((place) => domain.examples[place]!.id).join(' and '));
    warnings.push(
      `leak: ${near.length} pairs of nearly equal texts lie in different parts (${pairs.join('; ')}${near.length > SHOWN ? '; …' : ''}): give both the same group_id, or remove one`,
    );
  }
  return warnings;
}

function parentWarnings(domain: Domain): string[] {
  return domain.concepts.flatMap(({ name, parent }, c) => {
    if (parent === undefined) return [];
    const [own, above] = [domain.labels[c]!, domain.labels[parent]!];
    const wrong = [...own.keys()].filter((i) => own[i] === LABEL.positive && above[i] === LABEL.negative);
    if (wrong.length === 0) return [];
    const parentName = domain.concepts[parent]!.name;
    return [`${wrong.length} examples show ${name} and not its parent ${parentName} (${idsOf(domain, wrong)})`];
  });
}

/** Everything, of a domain and its split. */
export function findingsOf(domain: Domain, split: DomainSplit): DomainFindings {
  const { examples, labels, modality, settings } = domain;
  const { partOf, unitOf, leftOut } = split;
  const keys = examples.map(contentKey);
  const named = examples.filter(({ group }) => group !== undefined).length;
  const count = (part: string) => partOf.filter((own) => own === part).length;
  const concepts = conceptFindings(domain, split);
  const few = concepts.filter(({ small }) => small !== undefined).map(({ name, small }) => `${name}: ${small}`);
  return {
    modality,
    examples: examples.length,
    parts: { train: count('train'), test: count('test'), leftOut },
    declared: examples.some((each) => each.split !== undefined),
    groups: new Set(unitOf).size,
    ungrouped: named === 0 ? 0 : examples.length - named,
    unlabelled: examples.filter((_, i) => labels.every((own) => own[i] === LABEL.unknown)).length,
    covariates: domain.covariates,
    texts: settings.texts,
    concepts,
    warnings: [
      ...few.map((line) => `too small: ${line}`),
      ...concepts
        .filter(({ lengthAuroc = 0.5 }) => Math.abs(lengthAuroc - 0.5) > 0.2)
        .map(
          ({ name, lengthAuroc }) =>
            `length: the number of words alone tells ${name} with AUROC ${lengthAuroc!.toFixed(2)}`,
        ),
      ...copyWarnings(domain, keys, split),
      ...parentWarnings(domain),
      ...(named === 0
        ? [
            'no column group_id: if examples share patients, documents or authors, name them, or tests will be of what was trained on',
          ]
        : []),
    ],
  };
}

const part = ({ positives, negatives, hardNegatives }: LabelCounts): string =>
  `${positives}/${negatives}${hardNegatives > 0 ? `/${hardNegatives}` : ''}`;

/** Concepts that a list for a person is cut to. */
const MAX_CONCEPTS = 60;

/** The findings as lines for a person: a table of concepts, then what to mind. */
export function findingsInLines(found: DomainFindings): string[] {
  const { modality, examples, parts, declared, groups, ungrouped, unlabelled, covariates, texts, concepts, warnings } =
    found;
  const rows = concepts
    .slice(0, MAX_CONCEPTS)
    .map((each) => [
      each.name,
      part(each.train),
      part(each.test),
      String(each.unknown),
      `${each.prevalence === null ? '–' : each.prevalence.toFixed(3)}${each.declaredPrevalence === undefined ? '' : ` (declared ${each.declaredPrevalence})`}`,
      String(each.groups),
      each.words ? each.words.join('/') : '–',
      each.lengthAuroc === undefined ? '–' : each.lengthAuroc.toFixed(2),
    ]);
  const head = [
    'concept',
    'train +/−',
    'test +/−',
    'unknown',
    'prevalence',
    'groups +',
    'words +/−',
    'AUROC of length',
  ];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[]) => `  ${cells.map((text, i) => text.padEnd(widths[i]!)).join('  ')}`.trimEnd();
  const left = parts.leftOut > 0 ? `, ${parts.leftOut} left out` : '';
  return [
    `a domain: ${examples} ${modality}s, ${concepts.length} concepts; ${parts.train} to train on, ${parts.test} to test on${left} (${declared ? 'as declared, the rest drawn' : 'drawn'} by group; ${groups} groups or single examples${ungrouped > 0 ? `, ${ungrouped} examples without a group` : ''})`,
    `  ${unlabelled} without any label (they train SAEs); covariates: ${covariates.map(({ name, numeric }) => `${name} (${numeric ? 'number' : 'category'})`).join(', ') || 'none'}; texts: ${texts}`,
    ...(rows.length > 0 ? [line(head), ...rows.map(line)] : []),
    ...(concepts.length > MAX_CONCEPTS ? [`  … and ${concepts.length - MAX_CONCEPTS} more (--json has all)`] : []),
    ...warnings.map((warning) => `warning: ${warning}.`),
  ];
}
