/** @file Steering a language model: the factor chosen on half of the prompts, its generations judged on the other half. */
import type {
  Concept,
  LanguageModel,
  PrepareContext,
  SteeringPrompt,
  TaskContext,
  TaskOutcome,
} from '../../harness/contract.ts';
import { type FluencyScale, fluencyScore } from '../judges/parts/fluency.ts';
import { fluencyScale } from './calibration.ts';
import { chooseConcepts, halves } from './concept-choice.ts';
import { bestPlace, searchFactors } from './factor-search.ts';
import { type GenerationRow, generateAll } from './generations.ts';
import type { Kind } from './interventions.ts';
import { eachOnce, type JudgeRecord, joinedOutcome, rateTexts, recordsOf } from './judging.ts';
import { type Cost, costDocuments, steeringCosts } from './likelihood/capability.ts';
import type { StoredText } from './likelihood/texts.ts';
import { type ConceptScores, lmCurves, lmDetails, lmMeasured, mean } from './lm-scores.ts';
import type { SteeringOptions } from './options.ts';
import { steeredPositions } from './positions.ts';
import type { Generation, Ratings } from './ratings.ts';
import { type SteeringVector, steeringBy } from './steering-vectors.ts';
import { cutText, type KnownTexts, promptIds, textLikelihoods, textOf } from './texts.ts';

/** Tokens of a held-out document that tell what steering costs. */
const COST_TOKENS = 64;

/** What all methods share. */
export interface LmShared {
  /** Places of the concepts in the concept set. */
  concepts: number[];
  /** By concept: the same for all, or its own. */
  prompts: SteeringPrompt[][];
  scale: FluencyScale;
  /** Generations without steering, concept by concept: the same random streams as the steered ones. */
  unsteered: Generation[];
  /** Held-out documents that tell what steering costs. */
  documents: StoredText[];
}

type Context = Pick<
  TaskContext<SteeringOptions>,
  | 'options'
  | 'labelled'
  | 'judge'
  | 'otherJudges'
  | 'method'
  | 'site'
  | 'test'
  | 'seed'
  | 'signal'
  | 'progress'
  | 'shared'
>;

/** With what a method steers, and in which ways. */
export interface LmWays {
  /** By concept. */
  vectors: readonly (SteeringVector | undefined)[];
  kinds: readonly (Kind | 'own' | 'none')[];
  /** How vectors were chosen: the axis `selection`. */
  selection: string;
  /** Name of its curves in place of the kind's: of what the method is compared with, whose rows have no rank. */
  control?: string;
}

/** A concept with what it is steered with, and how; `c` is its place among the chosen concepts. */
interface Steered {
  way: LmWays;
  kind: LmWays['kinds'][number];
  c: number;
  concept: Concept;
  vector: SteeringVector;
}

type Chosen = Steered & { factor: number };

/** One text to be generated: prompt `p` of concept `c`, steered with the given factor. */
interface Wanted extends Chosen {
  p: number;
}

/** What the steered subject computes, whoever judges. */
interface SteeredPasses {
  generate: (wanted: readonly Wanted[]) => Promise<Generation[]>;
  /** By document; undefined where the documents cannot be steered so. */
  costs: (chosen: readonly Chosen[]) => Promise<(Cost[] | undefined)[]>;
}

/** Chooses concepts and prompts, calibrates fluency, and generates without steering. */
export async function prepareLm(context: PrepareContext<SteeringOptions>, subject: LanguageModel): Promise<LmShared> {
  const { options, dataset, labelled, test, testItems, seed, signal, progress, site } = context;
  const concepts = chooseConcepts(labelled!.set.concepts, options.concepts);
  const prompts: SteeringPrompt[][] = [];
  for (const place of concepts) {
    const own = dataset.conceptPrompts?.(labelled!.set.concepts[place]!, options.prompts);
    prompts.push(own ? await own : (prompts[0] ?? (await dataset.prompts!(options.prompts))));
  }
  const { maxNewTokens, temperature } = options;
  const scale = await fluencyScale(subject, testItems, { texts: options.calibration, maxNewTokens, signal });
  const rows = prompts.flatMap((own, c) =>
    own.map(({ text }, p): GenerationRow => ({ prompt: promptIds(subject, text), stream: streamOf(prompts, c, p) })),
  );
  const note = (done: number, total: number) => progress(done, total, 'unsteered texts');
  const passes = { maxNewTokens, temperature, seed, signal, progress: note };
  const unsteered = await generateAll(subject, site, rows, undefined, passes);
  const documents = costDocuments(subject, test, testItems, { documents: options.documents, tokens: COST_TOKENS });
  return { concepts, prompts, scale, unsteered, documents };
}

/** The random stream of prompt `p` of concept `c`: the same however it is steered. */
const streamOf = (prompts: readonly (readonly unknown[])[], c: number, p: number) => c * prompts[0]!.length + p;

/**
 * One row for each way of steering and each judge: all concepts that have a vector. Each judge chooses the factors by its own
 * ratings, of the same texts.
 */
export async function steerLm(
  context: Context,
  subject: LanguageModel,
  shared: LmShared,
  ways: readonly LmWays[],
): Promise<TaskOutcome> {
  const records = recordsOf(context);
  const { write, ask } = context.method;
  const make = write ? writeWanted : ask ? askWanted : generateWanted;
  const passes: SteeredPasses = {
    generate: eachOnce(
      ({ way, kind, c, factor, p }: Wanted) => `${way.selection} ${kind} ${c} ${factor} ${p}`,
      (wanted) => make(context, subject, shared.prompts, wanted),
    ),
    costs: eachOnce(
      ({ way, kind, c, factor }: Chosen) => `${way.selection} ${kind} ${c} ${factor}`,
      (chosen) => costsOf(context, subject, shared.documents, chosen),
    ),
  };
  const outcomes: TaskOutcome[] = [];
  for (const record of records) {
    outcomes.push(await steerUnder(record, context, passes, shared, ways));
  }
  return joinedOutcome(outcomes, records);
}

/**
 * One row for each way of steering, under one judge. The ways are generated together, since a step of generation costs little
 * more for twice the texts.
 */
async function steerUnder(
  record: JudgeRecord,
  context: Context,
  passes: SteeredPasses,
  shared: LmShared,
  all: readonly LmWays[],
): Promise<TaskOutcome> {
  const { options, labelled } = context;
  const { judge } = record;
  const { prompts } = shared;
  const each = all.flatMap((way) => way.kinds.map((kind) => ({ way, kind })));
  const steered = each.flatMap(({ way, kind }) =>
    shared.concepts.flatMap((place, c): Steered[] => {
      const vector = way.vectors[c];
      return vector ? [{ way, kind, c, vector, concept: labelled!.set.concepts[place]! }] : [];
    }),
  );
  const idle = each.some(({ kind }) => kind === 'none');
  const factors = idle ? [0] : options.factors;
  const { selection, reporting } = halves(prompts[0]?.length ?? 0);
  const withoutSteering = ({ c, p }: Pick<Wanted, 'c' | 'p'>) => shared.unsteered[streamOf(prompts, c, p)]!;
  const asWritten = context.method.write !== undefined || context.method.ask !== undefined;
  const generate = async (wanted: Wanted[]): Promise<Generation[]> =>
    idle && !asWritten ? wanted.map(withoutSteering) : await passes.generate(wanted);
  const unrated: Ratings[] = [];
  const rate = async (texts: Generation[], of: readonly Pick<Wanted, 'concept' | 'c' | 'p'>[]): Promise<Ratings[]> => {
    const rows = texts.map(({ text }, i) => {
      const { concept, c, p } = of[i]!;
      return { text, concept, prompt: prompts[c]![p]! };
    });
    const byLikelihood = texts.map((text) => fluencyScore(shared.scale, text));
    const ratings = await rateTexts(record, rows, byLikelihood, context);
    unrated.push(...ratings.filter(({ overall }) => overall === null));
    return ratings;
  };

  const rateTrials = async (wanted: { entry: number; factor: number }[]): Promise<Ratings[][]> => {
    const rows = wanted.flatMap(({ entry, factor }) =>
      selection.map((p): Wanted => ({ ...steered[entry]!, factor, p })),
    );
    const ratings = await rate(await generate(rows), rows);
    return wanted.map((_, i) => ratings.slice(i * selection.length, (i + 1) * selection.length));
  };
  const steps = idle ? 0 : options.extend;
  const tried = await searchFactors(steered.length, factors, steps, rateTrials, (own) => mean(own, 'overall'));
  const chosen = steered.flatMap((entry, i) => {
    const trials = tried[i]!;
    const best = trials[bestPlace(trials.map(({ score }) => score))];
    // No factor can be chosen for a concept of which nothing was rated.
    return best ? [{ ...entry, trials, factor: best.factor }] : [];
  });
  const finals = chosen.flatMap((entry) => reporting.map((p) => ({ ...entry, p })));
  const finalTexts = await generate(finals);
  const ratings = await rate(finalTexts, finals);
  const unsteered = await rate(finals.map(withoutSteering), finals);
  const costs = await passes.costs(chosen);
  const scores = chosen.map((entry, i): ConceptScores => {
    const own = reporting.map((_, p) => i * reporting.length + p);
    return {
      ...entry,
      prompts: reporting.map((p) => prompts[entry.c]![p]!),
      generations: own.map((at) => finalTexts[at]!),
      ratings: own.map((at) => ratings[at]!),
      unsteered: own.map((at) => unsteered[at]!),
      costs: costs[i],
    };
  });
  const ways = each.map(({ way, kind }) => ({
    ...{ kind, selection: way.selection, control: way.control },
    own: scores.filter((_, i) => chosen[i]!.kind === kind && chosen[i]!.way === way),
  }));
  const missing = missingReason(steered.length, unrated);
  return {
    rows: ways.map(({ kind, selection, control, own }) => ({
      axes: { selection, intervention: kind },
      ...lmMeasured(own, missing, shared.documents),
      ...(control !== undefined && { control: true }),
    })),
    details: {
      judge: {
        id: judge.id,
        description: await judge.description(),
        fluency: shared.scale,
        ...(unrated.length > 0 ? { unrated: unrated.length } : {}),
      },
      ...Object.fromEntries(ways.map(({ kind, selection, own }) => [`${selection}/${kind}`, own.map(lmDetails)])),
    },
    curves: Object.assign(
      {},
      ...ways.map(({ kind, control, own }) => (kind === 'none' ? {} : lmCurves(own, factors, control ?? kind))),
    ),
  };
}

/** What each chosen factor costs, by document; undefined where the documents cannot be steered so. All are steered, or none. */
async function costsOf(
  { options, method, site, test, signal }: Context,
  subject: LanguageModel,
  documents: readonly StoredText[],
  chosen: readonly Chosen[],
): Promise<(Cost[] | undefined)[]> {
  const unreadable = documents.length === 0 || method.write || method.ask || options.positions === 'last';
  if (unreadable) return chosen.map(() => undefined);
  const at = steeredPositions(options, 0);
  const steerings = chosen.flatMap(({ kind, factor, vector }) =>
    kind === 'none' ? [] : [steeringBy(vector, kind, factor, at)],
  );
  if (steerings.length === 0) return chosen.map(() => documents.map(() => ({ loss: 0, kl: 0 })));
  return await steeringCosts({ subject, site, method }, test, documents, steerings, { signal });
}

/** Why a metric has no value. */
function missingReason(directions: number, unrated: readonly Ratings[]): string {
  if (directions === 0) return 'no concept has a direction';
  const reason = unrated.find((rating) => rating.reason !== undefined)?.reason;
  return `the judge gave no such rating${reason === undefined ? '' : `: ${reason}`}`;
}

/** The wanted texts as the method itself writes them, each cut to the length of generated ones. */
async function writeWanted(
  { method, options, signal }: Context,
  subject: LanguageModel,
  prompts: LmShared['prompts'],
  wanted: readonly Wanted[],
): Promise<Generation[]> {
  const texts = wanted.map(({ concept, c, p }) => {
    const prompt = prompts[c]![p]!;
    const before = /\s$/.test(prompt.text) ? prompt.text : `${prompt.text} `;
    return cutText(subject, before + method.write!(concept, prompt), prompt.text.length, options.maxNewTokens);
  });
  const likelihoods = await textLikelihoods(subject, texts, { signal });
  return likelihoods.map((likelihood, i) => ({ ...likelihood, text: textOf(subject, texts[i]!.ids) }));
}

/** The wanted texts as the subject writes them when it is asked for the concept, measured after the prompt as it is. */
async function askWanted(
  { method, options, site, seed, signal, progress }: Context,
  subject: LanguageModel,
  prompts: LmShared['prompts'],
  wanted: readonly Wanted[],
): Promise<Generation[]> {
  const { maxNewTokens, temperature } = options;
  const rows = wanted.map(({ concept, c, p }): GenerationRow => {
    const own = prompts[c]![p]!;
    const prompt = promptIds(subject, method.ask!(concept, own));
    return { prompt, measuredAfter: promptIds(subject, own.text), stream: streamOf(prompts, c, p) };
  });
  const note = (done: number, total: number) => progress(done, total, 'asked texts');
  return await generateAll(subject, site, rows, undefined, { maxNewTokens, temperature, seed, signal, progress: note });
}

/** The wanted texts, in order. */
async function generateWanted(
  context: Context,
  subject: LanguageModel,
  prompts: LmShared['prompts'],
  wanted: readonly Wanted[],
): Promise<Generation[]> {
  const { options, method, site, seed, signal, progress } = context;
  const { maxNewTokens, temperature } = options;
  const known = await context.shared('known texts', async (): Promise<KnownTexts> => new Map());
  const ids = prompts.map((own) => own.map(({ text }) => promptIds(subject, text)));
  const rows = wanted.map(({ kind, c, p, factor, vector }): GenerationRow => {
    const prompt = ids[c]![p]!;
    const steering = steeringBy(vector, kind as Kind | 'own', factor, steeredPositions(options, prompt.length));
    return { prompt, stream: streamOf(prompts, c, p), steering };
  });
  const note = (done: number, total: number) => progress(done, total, 'steered texts');
  return await generateAll(subject, site, rows, method, {
    maxNewTokens,
    temperature,
    seed,
    known,
    signal,
    progress: note,
  });
}
