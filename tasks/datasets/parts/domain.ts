/** @file A domain's folder as a dataset: corpora of its own parts, and concepts with what people said of each item. */
import {
  type Concept,
  type ConceptSet,
  type Dataset,
  type DatasetContext,
  type Item,
  type OptionsSchema,
  type Role,
  UserError,
} from '../../../harness/contract.ts';
import {
  type ConceptCounts,
  countLabels,
  createRng,
  type Domain,
  type DomainPart,
  type DomainSplit,
  LABEL,
  LOCAL_PATH,
  PREVALENCE_STEPS,
  prevalenceOf,
  readDomain,
  sha256Json,
  splitDomain,
  tooSmall,
} from '../../../harness/kit/index.ts';
import { conceptSetBuilder, rememberSets } from './concept-set-builder.ts';
import { promptsFrom } from './document-corpus.ts';
import { findData } from './files.ts';

export interface DomainOptions {
  path?: string;
  train: number;
  eval: number;
  testShare: number;
  prompts: number;
}

const SIZE = { type: 'integer', minimum: 2, maximum: 1_000_000, default: 200 } as const;

export const domainOptions: OptionsSchema = {
  path: {
    type: 'string',
    minLength: 1,
    pattern: LOCAL_PATH,
    description: "The domain's folder. Relative to the suite's file, or else to the current folder.",
  },
  train: { ...SIZE, description: 'Training positives of a concept, and as many negatives, at most.' },
  eval: { ...SIZE, description: 'Held-out positives of a concept, negatives and hard negatives, at most.' },
  testShare: {
    type: 'number',
    minimum: 0.1,
    maximum: 0.9,
    default: 0.4,
    description: 'Share of the examples that is held out, where the table declares no split.',
  },
  prompts: {
    type: 'integer',
    minimum: 0,
    maximum: 10_000,
    default: 0,
    description:
      'Held-out texts whose beginnings are prompts of steering; they serve nothing else. 0: none, and no steering.',
  },
};

const ROLES: readonly (readonly [number, Role])[] = [
  [LABEL.positive, 'positive'],
  [LABEL.negative, 'negative'],
  [LABEL.hardNegative, 'hard-negative'],
];

/** Names of concepts that a note lists. */
const SHOWN = 5;

/** What a dataset is made of, once its folder is read. */
interface Opened {
  domain: Domain;
  partOf: DomainSplit['partOf'];
  counts: ConceptCounts[];
  /** Places of the concepts that can be scored. */
  usable: number[];
  /** Places of examples in one random order, which does not depend on that of the rows. */
  order: readonly number[];
  /** Of each example, what intervals take it together with: its group, and copies of its text; undefined where it stands alone. */
  groups: readonly (string | undefined)[];
}

function groupsOf({ examples }: Domain, { unitOf }: DomainSplit): (string | undefined)[] {
  const sizes = new Map<number, number>();
  // A unit's first id by name, which does not depend on the order of rows.
  const names = new Map<number, string>();
  examples.forEach(({ id }, i) => {
    const unit = unitOf[i]!;
    const before = names.get(unit);
    sizes.set(unit, (sizes.get(unit) ?? 0) + 1);
    if (before === undefined || id < before) names.set(unit, id);
  });
  return examples.map(({ group }, i) => {
    const unit = unitOf[i]!;
    return group === undefined && sizes.get(unit) === 1 ? undefined : `unit of ${names.get(unit)}`;
  });
}

function itemsOf({ domain, groups }: Opened): (place: number) => Item {
  const { examples, concepts, labels, modality } = domain;
  const having = (place: number, label: number) =>
    concepts.filter((_, c) => labels[c]![place] === label).map(({ id }) => id);
  return (place) => {
    const { id, text, image, covariates } = examples[place]!;
    const group = groups[place];
    const words = text === undefined ? {} : modality === 'image' ? { caption: text } : { text };
    const unknown = having(place, LABEL.unknown);
    return {
      ...{ id, ...words },
      ...(image ? { image: { path: image.path } } : {}),
      concepts: having(place, LABEL.positive),
      ...(unknown.length > 0 ? { unknown } : {}),
      ...(group === undefined ? {} : { group }),
      ...(Object.keys(covariates).length > 0 ? { covariates } : {}),
    };
  };
}

/** A share as whole numbers, which thresholds are told apart by exactly. */
const shareOf = (prevalence: number): NonNullable<Concept['prevalence']> => ({
  positives: Math.round(prevalence * PREVALENCE_STEPS),
  labelled: PREVALENCE_STEPS,
});

/** Concepts as tasks know them; a parent only where it is one of them. */
function conceptsOf({ domain, counts }: Opened, chosen: readonly number[]): Concept[] {
  return chosen.map((place): Concept => {
    const { id, name, synonyms, code, parent, definition, prevalence, deniable } = domain.concepts[place]!;
    const above = parent !== undefined && chosen.includes(parent) ? domain.concepts[parent]!.id : undefined;
    return {
      ...{ id, label: name },
      ...(synonyms.length > 0 ? { synonyms } : {}),
      ...(code === undefined ? {} : { code }),
      ...(definition === undefined ? {} : { definition }),
      ...(above === undefined ? {} : { parent: above }),
      ...(deniable === undefined ? {} : { deniable }),
      prevalence: prevalence === undefined ? prevalenceOf(counts[place]!) : shareOf(prevalence),
    };
  });
}

/** Examples of each role in one order for all concepts, so that they share their negatives and few items are read. */
function conceptSet(opened: Opened, { train, eval: held }: DomainOptions, limits: Limits): ConceptSet {
  const { domain, partOf, usable, order } = opened;
  const chosen = usable.slice(0, limits.concepts);
  const builder = conceptSetBuilder(conceptsOf(opened, chosen));
  const itemOf = itemsOf(opened);
  for (const [c, place] of chosen.entries()) {
    const own = domain.labels[place]!;
    for (const [part, split, size] of [
      ['train', 'train', train],
      ['test', 'eval', held],
    ] as const) {
      const most = Math.min(size, limits.perClass ?? size);
      for (const [label, role] of ROLES) {
        // Hard negatives test and do not train.
        if (role === 'hard-negative' && split === 'train') continue;
        const having = order.filter((i) => partOf[i] === part && own[i] === label);
        builder.add(c, split, role, having.slice(0, most).map(itemOf));
      }
    }
  }
  return builder.build();
}

interface Limits {
  concepts?: number;
  perClass?: number;
}

function notesOf({ domain, counts, usable }: Opened, { leftOut }: DomainSplit): string[] {
  const small = domain.concepts.flatMap(({ name }, c) =>
    usable.includes(c) ? [] : [`${name} (${tooSmall(counts[c]!)})`],
  );
  const hard = counts.reduce((sum, { train }) => sum + train.hardNegatives, 0);
  const listed =
    small.length > SHOWN ? `${small.slice(0, SHOWN).join(', ')} and ${small.length - SHOWN} more` : small.join(', ');
  return [
    ...(domain.settings.texts === 'private' ? ['texts are private: results name items by id'] : []),
    ...(small.length > 0 ? [`concepts with too few examples, left out: ${listed}`] : []),
    ...(leftOut > 0 ? [`${leftOut} training examples left out, whose copy or group is in the test part`] : []),
    ...(hard > 0 ? [`${hard} hard negatives of the training part serve nothing: they are for tests`] : []),
  ];
}

/** Opens it, of texts or of images. */
export async function openDomain(
  id: string,
  modality: Domain['modality'],
  options: DomainOptions,
  context: DatasetContext,
): Promise<Dataset> {
  const { path } = await findData({ dataset: id, context }, 'path', options.path);
  const domain = await readDomain(path);
  if (domain.modality !== modality) {
    throw new UserError(
      `dataset ${id}: expected a domain of ${modality}s, found one of ${domain.modality}s in ${path}; name the dataset ${domain.modality === 'image' ? 'domain-images' : 'domain'}.`,
    );
  }
  const { seed } = context;
  const split = splitDomain(domain, seed, options.testShare);
  const byId = [...domain.examples.keys()].sort((a, b) => (domain.examples[a]!.id < domain.examples[b]!.id ? -1 : 1));
  const order = createRng(seed).fork('domain order').shuffle(byId);
  const ofPrompts = new Set(order.filter((i) => split.partOf[i] === 'test').slice(0, options.prompts));
  const partOf = split.partOf.map((part, i) => (ofPrompts.has(i) ? undefined : part));
  const counts = countLabels(domain, { partOf });
  const usable = [...domain.concepts.keys()].filter((c) => tooSmall(counts[c]!) === undefined);
  const opened: Opened = { domain, partOf, counts, usable, order, groups: groupsOf(domain, split) };
  for (const part of ['train', 'test'] as const) {
    if (partOf.includes(part)) continue;
    throw new UserError(
      `domain ${path}: expected examples to train on and others to test on; found none for the ${part} part: give more examples of different groups.`,
    );
  }
  const itemOf = itemsOf(opened);
  const { path: _, ...choices } = options;
  const corpus = async (part: DomainPart, n: number) =>
    order
      .filter((i) => partOf[i] === part)
      .slice(0, n)
      .map(itemOf);
  const texts = domain.examples.map(({ text = '' }) => text);
  return {
    ...{ id, modality },
    fingerprint: sha256Json({ domain: domain.fingerprint, seed, options: { ...choices } }),
    notes: notesOf(opened, split),
    ...(domain.settings.texts === 'private' ? { privateItems: true } : {}),
    corpus,
    ...(usable.length > 0
      ? { concepts: rememberSets(async (limits: Limits) => conceptSet(opened, options, limits)) }
      : {}),
    ...(ofPrompts.size > 0 && modality === 'text'
      ? {
          prompts: async (n: number) =>
            promptsFrom(
              [...ofPrompts].map((i) => texts[i]!),
              texts,
              n,
            ),
        }
      : {}),
  };
}
