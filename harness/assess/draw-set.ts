/** @file From fitted methods to the questions of an assessment: draws latents by one rule, and renders what is asked about them. */
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';
import type { FittedAtSite, RunningSite } from '../execute/site.ts';
import { rowValues } from '../kit/latent-rows.ts';
import { msScores } from '../num/metrics/monosemanticity.ts';
import { createRng, type Rng } from '../num/rng.ts';
import type { Fit } from '../plan.ts';
import type { AssessmentExample } from '../schema/assessment-item.generated.ts';
import type { KeyLatent } from '../schema/assessment-key.generated.ts';
import type { RenderedQuestion } from './compose.ts';
import { type Firing, firingOn, meanRate } from './firing.ts';
import { type AssessedSite, embeddingOf, imagesOf, type Materials, materialsOf } from './materials.ts';
import { PROTOCOLS, type ProtocolId } from './protocols.ts';
import { type AskedLatent, drawQuestions, moreFocused, type Question, type Shown } from './questions.ts';
import { detectionScores } from './read-latents.ts';
import { sampleLatents } from './sample.ts';
import { windowOf } from './window.ts';

export interface DrawOptions {
  protocol: ProtocolId;
  seed: number;
  /** Latents of each method. */
  latents: number;
  /** Tokens of a text that are shown. */
  window: number;
  stratify: 'density' | 'ms';
}

export interface DrawnMethod {
  fit: Fit;
  d_sae: number;
  eligible: number;
}

export interface DrawnSet {
  modality: 'text' | 'image';
  methods: DrawnMethod[];
  latents: KeyLatent[];
  questions: RenderedQuestion[];
  /** How it was drawn, in sentences. */
  rule: string[];
  /** Methods that nobody is asked about, and why. */
  left: { name: string; reason: string }[];
}

/** Of the items on which a unit of a dense method fires, where no sparse method says how often latents do: as in the task of the MS score. */
const RATE = 0.05;

/** What is the same for all methods. */
interface Setting {
  options: DrawOptions;
  materials: Materials;
  /** Items that a latent must fire on, and be silent on. */
  least: number;
  /** Of the items on which units of dense methods fire. */
  rate: number;
  /** Of the items that may be shown. */
  embedding?: Float32Array | undefined;
}

interface ReadMethod extends DrawnMethod {
  firing: Firing;
  asked: AskedLatent[];
  spare: AskedLatent[];
  key: KeyLatent[];
}

/** Reads a method and draws the latents that are asked about; the reason where there is none. */
async function readMethod(
  { activations: { test, labelled }, latents: pooled }: FittedAtSite,
  fit: Fit,
  place: number,
  { options, materials, least, rate, embedding }: Setting,
): Promise<ReadMethod | string> {
  const firing = firingOn(await pooled(test), materials.usable, rate);
  const { scores } = embedding ? msScores(firing.codes, embedding) : {};
  const byScore = options.stratify === 'ms';
  const known = byScore || options.protocol === 'pair' ? { known: scores! } : {};
  const rng = createRng(options.seed).fork(`latents of ${fit.key}`);
  const { eligible, ...drawn } = sampleLatents(firing, { count: options.latents, least, byScore, ...known }, rng);
  const { chosen } = drawn;
  if (chosen.length === 0) {
    return `none of its ${firing.d_sae} latents fires on ${least} of the ${firing.items} items that can be shown and is silent on as many`;
  }
  const numbers = chosen.map(({ latent }) => latent);
  const detection = labelled && detectionScores(await pooled(labelled.activations), labelled, numbers);
  const key = chosen.map(({ latent, density }, i): KeyLatent => {
    const score = scores?.[latent] ?? Number.NaN;
    return {
      ...{ method: place, latent, density, ms: Number.isFinite(score) ? score : null },
      detection: detection?.[i] ?? null,
    };
  });
  const [asked, spare] = [chosen, drawn.spare].map((all) => all.map((each) => ({ ...each, method: place })));
  return { fit, d_sae: firing.d_sae, eligible, firing, asked: asked!, spare: spare!, key };
}

/** How often latents of the sparse methods fire, on average over methods. */
async function rateOf(running: RunningSite, fits: readonly Fit[], least: number, items: number): Promise<number> {
  const rates: number[] = [];
  for (const fit of fits) {
    await running.withMethod(fit, async ({ method, activations, latents }) => {
      if (!method.encode || !method.sparse) return;
      const own = meanRate(await latents(activations.test));
      if (own !== undefined) rates.push(own);
    });
  }
  const mean = rates.length === 0 ? RATE : rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  return Math.max(mean, least / items);
}

const placeOf = ({ method, latent, item }: Omit<Shown, 'marks'>) => `${method} ${latent} ${item}`;

/** Values on the tokens of all that is shown of texts, one method after another. */
async function tokenValues(
  running: RunningSite,
  methods: readonly ReadMethod[],
  questions: readonly Question[],
  { usable, tokenized }: Materials,
): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  const all = questions.flatMap(({ references, groups }) => [...references, ...groups.flat()]);
  for (const [place, { fit }] of methods.entries()) {
    const latentsByItem = new Map<number, Set<number>>();
    for (const { method, item, latent } of all) {
      if (method === place) latentsByItem.set(item, (latentsByItem.get(item) ?? new Set()).add(latent));
    }
    await running.withMethod(fit, async ({ method, activations: { test } }) => {
      for (const [item, latents] of latentsByItem) {
        const { rows } = tokenized![usable[item]!]!;
        if (!rows) continue;
        for (const [latent, values] of await rowValues(method, test, usable[item]!, [...latents])) {
          const ofTokens = Float32Array.from(rows, (row) => values[row]!);
          found.set(placeOf({ method: place, latent, item }), ofTokens);
        }
      }
    });
  }
  return found;
}

type Render = (shown: Shown, rng: Rng) => Promise<AssessmentExample>;

async function textsOf(
  running: RunningSite,
  methods: readonly ReadMethod[],
  questions: readonly Question[],
  { materials, options: { window: length, protocol } }: Setting,
): Promise<Render> {
  const { peak = 'middle' } = PROTOCOLS[protocol];
  const values = await tokenValues(running, methods, questions, materials);
  const { tokenized, usable } = materials;
  return async (shown, rng) => {
    const { pieces } = tokenized![usable[shown.item]!]!;
    const own = values.get(placeOf(shown));
    const threshold = methods[shown.method]!.firing.threshold(shown.latent);
    const text = { pieces, ...(own ? { values: own } : {}) };
    return { text: windowOf(text, { length, threshold, marks: shown.marks, peak }, rng) };
  };
}

async function rendered(questions: readonly Question[], render: Render, rng: Rng): Promise<RenderedQuestion[]> {
  const all: RenderedQuestion[] = [];
  for (const [i, { latents, references, groups, gold }] of questions.entries()) {
    const own = rng.fork(i);
    const each = (shown: readonly Shown[]) =>
      Promise.all(shown.map((one, s) => render(one, own.fork(`${one.item} ${s}`))));
    all.push({ latents, gold, references: await each(references), groups: await Promise.all(groups.map(each)) });
  }
  return all;
}

function ruleOf({ options, least, rate, materials }: Setting): string[] {
  const { latents, seed, stratify, window, protocol } = options;
  const of = stratify === 'ms' ? 'MS score' : 'the share of items on which they fire';
  return [
    `Of each method ${latents} latents (seed ${seed}), one from each of as many strata of equal size by ${of}, among those that fire on at least ${least} of ${materials.usable.length} held-out items and are silent on as many; all where there are fewer.`,
    `A unit of a dense method fires on the ${(100 * rate).toPrecision(3)} % of items on which it is strongest: the mean rate of the sparse methods.`,
    ...(materials.modality === 'text'
      ? [
          `Of texts with at least ${window} tokens, ${window} about the strongest one${PROTOCOLS[protocol].peak ? ', which stands anywhere among them,' : ''} are shown; at most a third are marked.`,
        ]
      : []),
    ...(protocol === 'intruder' || protocol === 'detection'
      ? [
          'What does not belong is from the top decile of another latent of the same method, about which nobody is asked where there is one, on an item on which the latent is silent.',
        ]
      : []),
  ];
}

/**
 * Draws and renders the questions about the latents of the fitted methods.
 *
 * @throws UserError where nothing can be asked.
 */
export async function drawSet(
  site: AssessedSite,
  running: RunningSite,
  fits: readonly Fit[],
  options: DrawOptions,
): Promise<DrawnSet> {
  let test: ActivationSet | undefined;
  await running.withMethod(fits[0]!, async ({ activations }) => {
    test = activations.test;
  });
  const materials = await materialsOf(site, test!, options.protocol, options.window);
  const embedding = await embeddingOf(site, materials.usable);
  if (!embedding && (options.protocol === 'pair' || options.stratify === 'ms')) {
    throw new UserError(
      'assess: expected MS scores, by which latents are compared; the run has none: run its suite with --only tasks=monosemanticity too.',
    );
  }
  const least = PROTOCOLS[options.protocol][materials.modality === 'image' ? 'images' : 'texts'];
  const rate = await rateOf(running, fits, least, materials.usable.length);
  const setting: Setting = { options, materials, least, rate, embedding };
  const [methods, left]: [ReadMethod[], DrawnSet['left']] = [[], []];
  for (const fit of fits) {
    await running.withMethod(fit, async (at) => {
      const found = at.method.encode ? await readMethod(at, fit, methods.length, setting) : 'it has no latents';
      if (typeof found === 'string') left.push({ name: fit.method.name, reason: found });
      else methods.push(found);
    });
  }
  if (methods.length === 0) {
    throw new UserError(
      `assess: nothing to ask: ${left[0]!.name}: ${left[0]!.reason}: run with more held-out items (without --limit, or a higher one).`,
    );
  }
  const key = methods.flatMap((method) => method.key);
  const { protocol } = options;
  const { modality, usable } = materials;
  const latents = methods.flatMap(({ asked }) => asked);
  const rng = createRng(options.seed).fork(protocol);
  const spare = methods.flatMap((method) => method.spare);
  const drawn = drawQuestions({ protocol, modality, items: usable.length, latents, spare }, rng.fork('questions'));
  const questions = protocol === 'pair' ? moreFocused(drawn, (place) => key[place]!.ms!) : drawn;
  if (questions.length === 0)
    throw new UserError('assess: nothing to ask: no latent has an item of another one to stand beside.');
  const image = imagesOf(materials);
  const render: Render =
    modality === 'image' ? ({ item }) => image(item) : await textsOf(running, methods, questions, setting);
  return {
    ...{ modality, latents: key, rule: ruleOf(setting), left },
    methods: methods.map(({ fit, d_sae, eligible }) => ({ fit, d_sae, eligible })),
    questions: await rendered(questions, render, rng.fork('rendered')),
  };
}
