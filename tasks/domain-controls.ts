/** @file The controls that concepts of a real domain need: what does a detector know beyond words, names, covariates and one group? */
import {
  defineTask,
  type LabelledActivations,
  type ResultRow,
  type RowSamples,
  type TaskContext,
} from '../harness/contract.ts';
import {
  allUnavailable,
  type Candidates,
  createCandidates,
  createRng,
  crossedInterval,
  holm,
  type ItemInfluences,
  measuredCell,
  plainCell,
  quantiles,
} from '../harness/kit/index.ts';
import { type FurtherItems, methodSelections, type Selection } from './concept-detection/selections.ts';
import { type ConceptSplit, conceptSplits } from './concept-detection/splits.ts';
import { aurocDifference, bagOfWordsScores, type Difference, type HeldOut } from './domain-controls/beyond.ts';
import { type ConceptMetrics, evaluateConcept } from './domain-controls/evaluate.ts';
import { generalLatents } from './domain-controls/general.ts';
import { type GroupTest, groupTests, partings, unseenGroups, withinGroups } from './domain-controls/groups.ts';
import { type Relatives, relativesOf } from './domain-controls/hierarchy.ts';
import { type MetricName, metrics, REASONS, shows } from './domain-controls/metrics.ts';
import { type SeedAgreement, seedAgreements } from './domain-controls/seeds.ts';
import { affordable, type ChangedTexts, changeTexts, placesOfChanged } from './domain-controls/texts.ts';
import { type MarkedRows, markedRows, tokenAuroc } from './domain-controls/tokens.ts';

interface Options {
  maskedTexts: number;
  statementTexts: number;
}

/** Negatives for each positive, own and of other concepts, on which false alarms at the domain's prevalence are counted. */
const NEGATIVES = 99;
/** Level at which a concept is called beyond bag of words, or below it. */
const LEVEL = 0.05;

/** What is the same for every method of a site. */
interface Around {
  splits: ConceptSplit[];
  relatives: Relatives[];
  tests: GroupTest[][];
  /** Of each item, as intervals take them together. */
  groups: Uint32Array;
  /** By concept; undefined where items have no texts. */
  words: HeldOut[] | undefined;
  marked: (MarkedRows | undefined)[];
  changed: (ChangedTexts & Pick<FurtherItems, 'activations'>) | undefined;
}

export default defineTask<Options>({
  id: 'domain-controls',
  title: 'Controls of a domain: beyond bag of words, names, covariates and groups',
  version: 1,
  options: {
    maskedTexts: {
      type: 'integer',
      minimum: 0,
      default: 16,
      description:
        'LM: held-out positives and negatives of each concept that its own words are taken out of; fewer of long texts; 0 = none.',
    },
    statementTexts: {
      type: 'integer',
      minimum: 0,
      default: 6,
      description:
        'LM: held-out negatives of each concept that get sentences which affirm it, deny it or tell it of the family; 0 = none.',
    },
  },
  metrics,
  axes: {
    selection: 'auroc: the latent of best training AUROC; detector: the supervised method itself',
  },
  shows,
  words: ['groups'],
  seeded: false,
  comparesSeeds: true,
  comparesGeneral: true,
  controls: ['length', 'bow', 'covariates'],
  unavailable: ({ labelled }) => (labelled ? undefined : 'the dataset has no labelled concepts'),
  async run(context) {
    const { method, labelled, latents, signal, progress, shared } = context;
    if (!labelled) throw new Error('internal: domain-controls ran without labelled items');
    const around = await shared('around', () => surroundings(context, labelled));
    const { splits, changed } = around;
    const pooled = method.encode && (await latents(labelled.activations));
    const further: FurtherItems | undefined = changed && {
      ...changed,
      wanted: placesOfChanged(changed, labelled.set.items.length),
      ...(pooled ? { pooled: await latents(changed.activations) } : {}),
    };
    const wanted = splits.map((split, c) => withRelatives(split, around.relatives[c]!));
    const selections = await methodSelections(method, labelled, wanted, pooled, further, {
      probeK: [],
      signal,
      progress,
    });
    const chosen = selections.filter(({ name }) => name !== 'label');
    if (chosen.length === 0) {
      const unavailable = allUnavailable(metrics, `'${method.id}' gives no score for items`);
      return { rows: [{ axes: { selection: 'detector' }, metrics: {}, unavailable }] };
    }
    const candidates = pooled && createCandidates(pooled);
    const scored: ScoredSelection[] = [];
    for (const selection of chosen)
      scored.push(await scoredSelection(context, labelled, selection, around, candidates));
    return {
      rows: scored.map(({ row }) => row),
      details: Object.fromEntries(scored.map(({ name, details }) => [name, details])),
    };
  },
});

/** Detectors that read whole items score those that they are asked for: relatives too. */
function withRelatives(split: ConceptSplit, { siblings, children }: Relatives): ConceptSplit {
  const further = [...siblings, ...children.flatMap(({ positives }) => [...positives])];
  return { ...split, extraNegatives: Uint32Array.from([...split.extraNegatives, ...further]) };
}

async function surroundings(
  { options, subject, collect }: TaskContext<Options>,
  labelled: LabelledActivations,
): Promise<Around> {
  const { set } = labelled;
  // One fixed stream: every method and seed meets the same items.
  const splits = conceptSplits(set, createRng('concept-detection/extra-negatives'), NEGATIVES);
  const ways = partings(set);
  const reads = subject?.type === 'lm' && collect !== undefined;
  const texts = reads
    ? changeTexts(set, splits, affordable(options, splits, labelled.activations), createRng('domain-controls'))
    : undefined;
  const hasTexts = set.items.every(({ text }) => text !== undefined);
  return {
    splits,
    relatives: relativesOf(set, splits),
    tests: splits.map((split) => groupTests(set.items, split, ways)),
    groups: labelled.activations.groups ?? Uint32Array.from(set.items.keys()),
    words: hasTexts ? splits.map((split) => bagOfWordsScores(set.items, split)) : undefined,
    marked: splits.map(({ positives }, c) =>
      subject?.type === 'lm' ? markedRows(labelled, subject, set.concepts[c]!, positives) : undefined,
    ),
    changed:
      reads && texts && texts.items.length > 0 ? { ...texts, activations: await collect(texts.items) } : undefined,
  };
}

interface Evaluation {
  id: string;
  metrics: Partial<ConceptMetrics>;
  difference?: Difference | undefined;
  /** From the same method trained on general text. */
  beyondGeneral?: Difference | undefined;
}

interface ScoredSelection {
  name: string;
  row: ResultRow;
  details: Record<string, unknown>[];
}

async function scoredSelection(
  context: TaskContext<Options>,
  labelled: LabelledActivations,
  selection: Selection,
  around: Around,
  candidates: Candidates | undefined,
): Promise<ScoredSelection> {
  const { method, signal } = context;
  const { set } = labelled;
  const { splits, relatives, tests, groups, words, marked, changed } = around;
  const ofLatents = selection.name === 'auroc' && candidates !== undefined;
  const unseen = ofLatents ? unseenGroups(tests, candidates) : undefined;
  const seeds = ofLatents ? await ofSeeds(context, labelled, splits, candidates, selection) : undefined;
  const general = ofLatents ? await generalLatents(context, labelled, splits) : undefined;
  const evaluations: Evaluation[] = [];
  const details: Record<string, unknown>[] = [];
  for (const [c, split] of splits.entries()) {
    signal?.throwIfAborted();
    const chosen = selection.choose(c, split);
    if (!chosen) continue;
    const concept = set.concepts[c]!;
    const [masked, stated] = [changed?.masked[c], changed?.stated[c]];
    const evaluated = evaluateConcept({ concept, split, masked, stated, relatives: relatives[c]! }, chosen.score);
    const difference = words && aurocDifference(split, evaluated.heldOut, words[c]!, groups);
    const theirs = general?.[c];
    const beyondGeneral = theirs && aurocDifference(split, evaluated.heldOut, theirs.heldOut, groups);
    const { latent, sign } = chosen.details as { latent?: number; sign?: number };
    const by = latent === undefined || sign === undefined ? ('detector' as const) : { latent, sign };
    const own: Partial<ConceptMetrics> = {
      ...evaluated.metrics,
      beyond_bow: difference?.value ?? null,
      beyond_general: beyondGeneral?.value ?? null,
      within_group_auroc: withinGroups(tests[c]!, chosen.score),
      unseen_group_auroc: unseen?.[c]?.auroc ?? null,
      token_auroc: marked[c] ? await tokenAuroc(method, labelled, concept, by, marked[c]) : null,
      seed_cosine: seeds?.[c]?.cosine ?? null,
      seed_agreement: seeds?.[c]?.agreement ?? null,
    };
    const { id, label, domain } = concept;
    evaluations.push({ id, metrics: own, difference, beyondGeneral });
    details.push({
      ...{ id, label, domain },
      ...chosen.details,
      ...{ threshold: evaluated.threshold, positives: split.positives.length, negatives: split.negatives.length },
      ...own,
      ...(difference
        ? { bow_auroc: own.auroc! - difference.value, ci95: difference.ci95, detectable: difference.detectable }
        : {}),
      ...(beyondGeneral
        ? { general_latent: theirs!.latent, general_ci95: beyondGeneral.ci95, general_p: beyondGeneral.p }
        : {}),
      ...(masked ? { words_removed: masked.removed } : {}),
      ...(seeds ? { latent_of_next_seed: seeds[c]!.latent } : {}),
      ...(unseen && tests[c]!.length > 0
        ? { groups: tests[c]!.map(({ name }) => name), group_latents: unseen[c]!.latents }
        : {}),
    });
  }
  const verdicts = verdictsOf(evaluations);
  for (const [i, verdict] of (verdicts ?? []).entries()) details[i] = { ...details[i], ...verdict };
  const row: ResultRow = { axes: { selection: selection.name }, ...cells(evaluations, verdicts, set.items.length) };
  return {
    name: selection.name,
    row: verdicts ? { ...row, samples: samplesOf(evaluations, verdicts) } : row,
    details,
  };
}

/** What this seed and the next choose; undefined of methods without latents or a next seed. */
async function ofSeeds(
  { method, otherSeed }: TaskContext<Options>,
  { activations }: LabelledActivations,
  splits: readonly ConceptSplit[],
  candidates: Candidates,
  selection: Selection,
): Promise<SeedAgreement[] | undefined> {
  const other = await otherSeed?.();
  if (!other?.method.encode) return undefined;
  const theirs = createCandidates(await other.latents(activations));
  const chosen = splits.map((split, c) => {
    const { latent, sign } = selection.choose(c, split)!.details as { latent: number; sign: number };
    return sign === 1 ? latent : candidates.count / 2 + latent;
  });
  return seedAgreements(splits, { method, candidates, chosen }, { method: other.method, candidates: theirs });
}

interface Verdict {
  /** Corrected over the concepts of the row. */
  p_holm: number;
  verdict: 'beyond bag of words' | 'below bag of words' | 'not shown';
}

function verdictsOf(evaluations: readonly Evaluation[]): Verdict[] | undefined {
  const differences = evaluations.flatMap(({ difference }) => difference ?? []);
  if (differences.length === 0) return undefined;
  return holm(differences.map(({ p }) => p)).map((p_holm, i) => {
    const shown = differences[i]!.value > 0 ? ('beyond bag of words' as const) : ('below bag of words' as const);
    return { p_holm, verdict: p_holm < LEVEL ? shown : ('not shown' as const) };
  });
}

/** What is told of a row, not of one concept. */
const COUNTED: readonly MetricName[] = ['concepts_beyond', 'concepts_below', 'detectable'];

function cells(
  evaluations: readonly Evaluation[],
  verdicts: readonly Verdict[] | undefined,
  items: number,
): Required<Pick<ResultRow, 'metrics' | 'unavailable'>> {
  const n = evaluations.length;
  const names = (Object.keys(metrics) as MetricName[]).filter((name) => !COUNTED.includes(name));
  const measured = names.flatMap((name) => {
    const values = evaluations.flatMap(({ metrics: own }) => own[name] ?? []);
    if (values.length === 0) return [];
    const shared: ItemInfluences[] = evaluations.flatMap(
      ({ difference, beyondGeneral }) =>
        (name === 'beyond_bow' ? difference : name === 'beyond_general' ? beyondGeneral : undefined)?.influences ?? [],
    );
    return [
      [
        name,
        measuredCell(crossedInterval(values, shared, items, metrics[name].range as [number, number]), 'no concept'),
      ],
    ];
  });
  const counted = (verdict: Verdict['verdict']) =>
    plainCell(verdicts!.filter((each) => each.verdict === verdict).length / n, n);
  const shares = verdicts
    ? {
        concepts_beyond: counted('beyond bag of words'),
        concepts_below: counted('below bag of words'),
        ...detectableCell(evaluations),
      }
    : {};
  const unavailable = n === 0 ? allUnavailable(metrics, REASONS.auroc) : REASONS;
  return { metrics: { ...Object.fromEntries(measured), ...shares }, unavailable };
}

function detectableCell(evaluations: readonly Evaluation[]): ResultRow['metrics'] {
  const known = evaluations.flatMap(({ difference }) => difference?.detectable ?? []);
  const [median] = quantiles(known, [0.5]);
  return median == null ? {} : { detectable: plainCell(median, known.length) };
}

function samplesOf(evaluations: readonly Evaluation[], verdicts: readonly Verdict[]): RowSamples {
  return {
    unit: 'concept',
    ids: evaluations.map(({ id }) => id),
    values: evaluations.map(({ difference }) => difference!.value),
    ci95: evaluations.map(({ difference }) => difference!.ci95),
    apart: verdicts.map(({ verdict }) => verdict !== 'not shown'),
  };
}
