/** @file Concept detection (AxBench): does a method's score tell texts or images with a concept from those without? */
import {
  defineTask,
  type LabelledActivations,
  type ResultRow,
  type RowSamples,
  type TaskContext,
} from '../harness/contract.ts';
import {
  allUnavailable,
  averageRoc,
  byGroup,
  createRng,
  crossedInterval,
  type Estimate,
  type ItemInfluences,
  LATENT_EXAMPLES,
  measuredCell,
  sharedVariance,
} from '../harness/kit/index.ts';
import { chosenLatents } from './concept-detection/chosen-latents.ts';
import { type ConceptEvaluation, type ConceptMetrics, evaluateConcept } from './concept-detection/evaluate.ts';
import { type ChangedTexts, injectWords, placesOfChanged, textsOfEach } from './concept-detection/injection.ts';
import { joinTexts } from './concept-detection/joined.ts';
import { METRICS } from './concept-detection/metrics.ts';
import { type FurtherItems, methodSelections, type Selection } from './concept-detection/selections.ts';
import { type ConceptSplit, conceptSplits } from './concept-detection/splits.ts';

interface Options {
  probeK: number[];
  extraNegatives: number;
  injectedWords: number;
  injectedTexts: number;
  joinedTexts: number;
  latentExamples: number;
}

/**
 * AxBench's concept detection (arXiv:2501.17148 §3.1) over any labelled items. Scores of positions are pooled by their
 * maximum over an item. Everything that is chosen (latent, probe, threshold) is chosen on training items.
 */
export default defineTask<Options>({
  id: 'concept-detection',
  title: 'Concept detection (AxBench)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 4,
  options: {
    probeK: {
      type: 'array',
      items: { type: 'integer', minimum: 1 },
      default: [1, 5, 16],
      description: 'Numbers of latents of the k-sparse probes.',
    },
    extraNegatives: {
      type: 'integer',
      minimum: 0,
      default: 99,
      description: 'Negatives for each positive in the 1 % setting, as far as other concepts have them.',
    },
    injectedWords: {
      type: 'integer',
      minimum: 1,
      default: 3,
      description: 'Words of a concept that are put into negatives.',
    },
    injectedTexts: {
      type: 'integer',
      minimum: 0,
      default: 12,
      description:
        'Held-out negatives of each concept that words are put into, about 600 in all at most, and 256 MiB of activations; 0 = none.',
    },
    latentExamples: LATENT_EXAMPLES,
    joinedTexts: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description:
        'LM: texts of each concept that are joined with those of another, to detect it where both show; 0 = none.',
    },
  },
  metrics: METRICS,
  words: ['injected_words'],
  axes: {
    selection:
      "auroc: the latent of best training AUROC (AxBench's SAE-A); probe-k1, probe-k5, probe-k16: logistic regression on the k " +
      'latents of largest training F statistic; label: the latent whose description is most like the concept’s (AxBench’s ' +
      'SAE), by a file of labels; detector: the supervised method itself',
  },
  shows: {
    columns: [
      'auroc_hard',
      'f1',
      'average_precision',
      'auroc_1pct',
      'f1_1pct',
      'hard_negative_accuracy',
      'injected_fires',
      'control_fires',
      'joined_auroc',
      'joined_alone',
    ],
    // A supervised method is its own detector; of a dictionary AxBench takes the one latent of best training AUROC.
    ranked: { selection: ['detector', 'auroc'] },
    chance: 0.5,
    fronts: [
      {
        x: { metric: 'l0', task: 'reconstruction' },
        y: 'auroc',
        title: 'AUROC along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
    ],
    curves: {
      roc: {
        title: 'ROC, averaged over concepts',
        caption:
          'True-positive rate at each false-positive rate, averaged over concepts (vertical averaging). Dashed: chance.',
        x: 'false-positive rate',
        y: 'true-positive rate',
        diagonal: true,
      },
    },
  },
  seeded: false,
  controls: ['length', 'bow'],
  unavailable: ({ labelled }) => (labelled ? undefined : 'the dataset has no labelled concepts'),
  async run(context) {
    const { options, method, labelled, latents, signal, progress } = context;
    if (!labelled) throw new Error('internal: concept-detection ran without labelled items');
    // One fixed stream: every method and seed meets the same extra negatives.
    const splits = conceptSplits(labelled.set, createRng('concept-detection/extra-negatives'), options.extraNegatives);
    const pooled = method.encode && (await latents(labelled.activations));
    const injections = await methodInjections(context, splits, pooled !== undefined);
    const selections = await methodSelections(method, labelled, splits, pooled, injections?.further, {
      probeK: options.probeK,
      signal,
      progress,
    });
    if (selections.length === 0) {
      const unavailable = allUnavailable(METRICS, `'${method.id}' gives no score for items`);
      return { rows: [{ axes: { selection: 'detector' }, metrics: {}, unavailable }] };
    }
    const scored = selections.map((selection) => {
      signal?.throwIfAborted();
      return scoredSelection(selection, splits, labelled, injections?.texts);
    });
    return {
      rows: [...scored.map(({ row }) => row), ...unlabelledRow(method)],
      details: Object.fromEntries(scored.map(({ name, details }) => [name, details])),
      ...(await chosenLatents(context, pooled, scored)),
      curves: Object.fromEntries(scored.flatMap(({ name, roc }) => (roc ? [[`roc/${name}`, roc]] : []))),
    };
  },
});

/** The changed texts, made and collected once for all methods of a site of a language model; none elsewhere. */
async function methodInjections(
  { options, subject, labelled, collect, shared, latents }: TaskContext<Options>,
  splits: readonly ConceptSplit[],
  encodes: boolean,
): Promise<{ texts: ChangedTexts; further: FurtherItems } | undefined> {
  if (subject?.type !== 'lm' || !collect || !labelled) return undefined;
  if (options.injectedTexts === 0 && options.joinedTexts === 0) return undefined;
  const texts = await shared('injected texts', async () => {
    const asked = { words: options.injectedWords, texts: options.injectedTexts };
    const wanted = { ...asked, texts: textsOfEach(asked, splits, labelled.activations) };
    const { set } = labelled;
    const made =
      options.injectedTexts === 0
        ? { items: [], byConcept: splits.map(() => undefined), words: splits.map(() => []) }
        : injectWords(set, splits, wanted, createRng('concept-detection/injection'));
    const first = set.items.length + made.items.length;
    const joined = joinTexts(set, splits, options.joinedTexts, first, createRng('concept-detection/joined'));
    const items = [...made.items, ...joined.items];
    if (items.length === 0) return undefined;
    return { ...made, items, joined: joined.byConcept, activations: await collect(items) };
  });
  if (!texts) return undefined;
  const pooled = encodes ? { pooled: await latents(texts.activations) } : {};
  return { texts, further: { ...texts, wanted: placesOfChanged(texts), ...pooled } };
}

/** Of an SAE whose latents nobody described: the row of the selection by label, with the reason. */
function unlabelledRow({ kind, encode, labels }: TaskContext<Options>['method']): ResultRow[] {
  if (kind !== 'sae' || !encode || labels) return [];
  const reason = 'nobody says what its latents stand for: name a file, "labels" of the method in a suite';
  return [{ axes: { selection: 'label' }, metrics: {}, unavailable: allUnavailable(METRICS, reason) }];
}

/** What one way of choosing detectors gives: its row, a line a concept, the mean ROC curve. */
interface ScoredSelection {
  name: string;
  row: ResultRow;
  details: Record<string, unknown>[];
  roc?: { x: number[]; y: number[] };
}

function scoredSelection(
  selection: Selection,
  splits: ConceptSplit[],
  { set: { concepts, items }, activations: { groups } }: LabelledActivations,
  injected: ChangedTexts | undefined,
): ScoredSelection {
  const on: ScoredItems = { items: items.length, ...(groups ? { groups } : {}) };
  const evaluations: ConceptEvaluation[] = [];
  const details: Record<string, unknown>[] = [];
  const ids: string[] = [];
  splits.forEach((split, c) => {
    const chosen = selection.choose(c, split);
    if (!chosen) return;
    const evaluation = evaluateConcept(split, chosen.score, injected?.byConcept[c], injected?.joined[c]);
    evaluations.push(evaluation);
    const { id, label, domain } = concepts[c]!;
    ids.push(id);
    const words = injected && { injected_words: injected.words[c] };
    details.push({
      id,
      label,
      domain,
      ...chosen.details,
      threshold: evaluation.threshold,
      ...evaluation.metrics,
      ...words,
    });
  });
  const { name } = selection;
  const row: ResultRow = { axes: { selection: name }, ...averages(evaluations, on) };
  if (evaluations.length === 0) return { name, row, details };
  const { fpr, tpr } = averageRoc(evaluations.map(({ roc }) => roc));
  return { name, row: { ...row, samples: samplesOf(evaluations, ids, on) }, details, roc: { x: fpr, y: tpr } };
}

/** What concepts are scored on. */
interface ScoredItems {
  items: number;
  /** Items of one group (a patient, a document) share a number. */
  groups?: Uint32Array;
}

/** What items, or their groups, add to the error of a metric of each concept that has it. */
function influencesOf(
  evaluations: readonly ConceptEvaluation[],
  name: keyof ConceptMetrics,
  { groups }: ScoredItems,
): ItemInfluences[] {
  const ofItems = evaluations.map((evaluation) => evaluation.influences[name]()).filter((each) => each !== undefined);
  return groups ? byGroup(ofItems, groups) : ofItems;
}

const NOT_INJECTED =
  'no words were put into texts: that takes a language model, words that go with concepts, and negatives below the threshold';

const NOT_JOINED = 'no texts were joined: that takes a language model, two concepts, and joinedTexts';

function averages(
  evaluations: ConceptEvaluation[],
  on: ScoredItems,
): Required<Pick<ResultRow, 'metrics' | 'unavailable'>> {
  const names = Object.keys(METRICS) as (keyof ConceptMetrics)[];
  const measured = names.flatMap((name) => {
    const values = evaluations.map((evaluation) => evaluation.metrics[name]).filter((value) => value !== null);
    return values.length === 0 ? [] : [[name, measuredCell(conceptMean(name, values, evaluations, on), 'no concept')]];
  });
  const reasons =
    evaluations.length === 0
      ? allUnavailable(METRICS, 'no concept has a detector here')
      : {
          ...allUnavailable(METRICS, NOT_INJECTED),
          hard_negative_accuracy: 'no concept has hard negatives',
          joined_auroc: NOT_JOINED,
          joined_alone: NOT_JOINED,
        };
  return { metrics: Object.fromEntries(measured), unavailable: reasons };
}

/**
 * Mean over concepts with its interval over concepts; where they are scored on the same items (two classes of one text,
 * topics against the rest, the shared negatives of the 1 % setting), or on items of the same groups, also over those.
 */
function conceptMean(
  name: keyof ConceptMetrics,
  values: number[],
  evaluations: readonly ConceptEvaluation[],
  scored: ScoredItems,
): Estimate | null {
  return crossedInterval(values, influencesOf(evaluations, name, scored), scored.items, METRICS[name].range);
}

/** Blocks that items are folded into, item number modulo their number. */
const BLOCKS = 32;

/** AUROC by concept and, where concepts are scored on the same items, what each block of items adds to its error. */
function samplesOf(evaluations: readonly ConceptEvaluation[], ids: string[], scored: ScoredItems): RowSamples {
  const samples = { unit: 'concept', ids, values: evaluations.map((evaluation) => evaluation.metrics.auroc) };
  const influences = influencesOf(evaluations, 'auroc', scored);
  if (sharedVariance(influences, scored.items) === 0) return samples;
  const shared = new Array<number>(BLOCKS).fill(0);
  for (const { items: places, values } of influences) {
    for (let i = 0; i < places.length; i++) shared[places[i]! % BLOCKS]! += values[i]! / evaluations.length;
  }
  return { ...samples, shared };
}
