/**
 * @file A plug-in tried out on small data in memory (`saxbench/trial`): what its own test needs. No subject, store or
 * network; what the plug-in returns is checked as in a run.
 */
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memorySet } from './activations/activation-set.ts';
import type { Concept, ConceptExample, Dataset, Item } from './contract/data.ts';
import type { Rating } from './contract/judge.ts';
import type { FittedMethod, LabelledActivations } from './contract/methods.ts';
import type { ActivationSet } from './contract.ts';
import { UserError } from './errors.ts';
import { labelledActivations } from './execute/labelled.ts';
import { createOnce } from './execute/once.ts';
import { poolLatents } from './kit/latents.ts';
import { initBackend } from './num/backend.ts';
import { auroc } from './num/metrics/roc.ts';
import { createRng, type Rng } from './num/rng.ts';
import { tf } from './num/tf.ts';
import { resolveOptions } from './options.ts';
import type { DefinitionByKind, PluginKind } from './plugin-check.ts';
import { loadPlugin } from './plugins.ts';
import { openRegistry } from './registry.ts';
import { checkedRows } from './results/rows.ts';
import type { ResultRowRecord } from './schema/result.generated.ts';
import { trainSae } from './train.ts';

/** Options of a plug-in; defaults for those left out. */
type Options = Record<string, unknown>;

/** Sizes of the data: sums of 2 of 24 unit directions in 16 dimensions. */
const [D_IN, FEATURES, ACTIVE] = [16, 24, 2];
const SITE = { name: 'trial', d: D_IN, modality: 'vectors' as const, kind: 'pooled' as const };

async function pluginOf<K extends PluginKind>(kind: K, place: string | URL): Promise<DefinitionByKind[K]> {
  const file = place instanceof URL ? fileURLToPath(place) : place;
  await initBackend();
  const definition = await loadPlugin(file, openRegistry());
  if (definition.kind === kind) return definition as DefinitionByKind[K];
  throw new UserError(
    `trial of ${basename(file, extname(file))}: expected a plug-in of kind '${kind}'; found '${definition.kind}'.`,
  );
}

const resolved = (schema: DefinitionByKind['task']['options'], given: Options | undefined, id: string) =>
  resolveOptions(schema, given, `trial of ${id}`);

/** Unit directions, row-major [FEATURES, D_IN]. */
function directionsOf(rng: Rng): Float32Array {
  const out = rng.fillNormal(new Float32Array(FEATURES * D_IN));
  for (let row = 0; row < FEATURES; row++) {
    const vector = out.subarray(row * D_IN, (row + 1) * D_IN);
    const length = Math.hypot(...vector);
    vector.forEach((value, i) => {
      vector[i] = value / length;
    });
  }
  return out;
}

/** n rows, each the sum of ACTIVE directions with lengths about 1; features of row i are `active[i]`. */
function sparseRows(n: number, rng: Rng): { set: ActivationSet; active: Uint32Array[] } {
  const directions = directionsOf(createRng('trial'));
  const x = new Float32Array(n * D_IN);
  const active = Array.from({ length: n }, (_, row) => {
    const chosen = Uint32Array.from(rng.sample(FEATURES, ACTIVE));
    for (const feature of chosen) {
      const length = 1 + 0.2 * rng.normal();
      for (let i = 0; i < D_IN; i++) x[row * D_IN + i]! += length * directions[feature * D_IN + i]!;
    }
    return chosen;
  });
  return { set: memorySet(x, D_IN), active };
}

/** Of an SAE on rows that it was not trained on. */
export interface SaeTrial {
  explainedVariance: number;
  l0: number;
  /** Losses of training, from the first step to the last. */
  losses: number[];
  method: FittedMethod;
}

/**
 * Trains an SAE of 48 latents by the trainer of every run on 60,000 rows, each a sum of 2 of 24 directions in 16
 * dimensions: a second or two.
 *
 * @param file The plug-in's file, e.g. `new URL('./my-sae.ts', import.meta.url)`.
 * @param hp Its hyper-parameters; 2 active latents are right here.
 * @throws UserError for a file that is no SAE, hyper-parameters that it does not take; ContractError for what it returns.
 */
export async function trySae(file: string | URL, hp: Options = {}): Promise<SaeTrial> {
  const sae = await pluginOf('sae', file);
  const trained = await trainSae(sae, {
    activations: sparseRows(4000, createRng('trial rows')).set,
    heldOut: sparseRows(1000, createRng('trial held-out rows')).set,
    d_sae: 2 * FEATURES,
    hp: await resolved(sae.hyperparameters, hp, sae.id),
    training: { tokens: 60_000, batchSize: 128 },
  });
  const last = trained.heldOut.at(-1)!;
  const losses = trained.curve.map(({ loss }) => loss);
  return { explainedVariance: last.explained_variance, l0: last.l0, losses, method: trained.method };
}

/** Two concepts, the first features, with the rows that have them and as many that do not in each split. */
function labelledRows(): LabelledActivations {
  const { set, active } = sparseRows(600, createRng('trial labels'));
  const concepts: Concept[] = [0, 1].map((feature) => ({ id: `feature-${feature}`, label: `feature ${feature}` }));
  const items: Item[] = active.map((_, row) => ({ id: `row-${row}` }));
  const examples = concepts.flatMap((_, concept) => {
    const having = [...active.keys()].filter((row) => active[row]!.includes(concept));
    const others = [...active.keys()].filter((row) => !active[row]!.includes(concept)).slice(0, having.length);
    const of = (rows: number[], role: ConceptExample['role']) =>
      rows.map((item, i): ConceptExample => ({ concept, item, role, split: i % 2 === 0 ? 'train' : 'eval' }));
    return [...of(having, 'positive'), ...of(others, 'negative')];
  });
  return labelledActivations({ concepts, items, examples }, set);
}

/** Of a baseline on labelled rows that it was not fitted on. */
export interface BaselineTrial {
  method: FittedMethod;
  /** AUROC of its detector for each of two concepts; of none where it has no detector with a score of activations. */
  auroc: number[];
}

/**
 * Fits a baseline, restores it from its state and scores its detectors on held-out rows of two concepts.
 *
 * @throws UserError for a file that is no baseline, options that it does not take; ContractError for what it returns.
 */
export async function tryBaseline(file: string | URL, options?: Options): Promise<BaselineTrial> {
  const baseline = await pluginOf('baseline', file);
  const values = await resolved(baseline.options, options, baseline.id);
  const labelled = labelledRows();
  const { activations, set } = labelled;
  const state = await baseline.fit({
    ...{ options: values, rng: createRng(0), activations, labelled, site: SITE.name },
    progress: () => {},
  });
  const method = baseline.restore(state, { d_in: D_IN, options: values, concepts: set.concepts });
  const rows = await activations.read(0, activations.n);
  const areas = set.concepts.map((concept, i) => {
    const detector = method.detector?.(concept);
    if (!detector?.score) return undefined;
    const scores = tf.tidy(() => detector.score!(tf.tensor2d(rows, [activations.n, D_IN])).dataSync());
    const { items, labels } = labelled.examples(i, 'eval');
    return auroc(
      Float64Array.from(items, (item) => scores[item]!),
      labels,
    );
  });
  return { method, auroc: areas.filter((area) => typeof area === 'number') };
}

/** Codes x⁺ and (−x)⁺: exact, with half of the latents active. */
function signedMethod(): FittedMethod {
  const W = new Float32Array(2 * D_IN * D_IN);
  for (let i = 0; i < D_IN; i++) {
    W[i * D_IN + i] = 1;
    W[(D_IN + i) * D_IN + i] = -1;
  }
  const rows = () => tf.tensor2d(W, [2 * D_IN, D_IN]);
  return {
    ...{ d_in: D_IN, d_sae: 2 * D_IN, sparse: true },
    encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.relu(tf.matMul(x, rows(), false, true))) }),
    decode: (codes) => tf.tidy(() => tf.matMul(codes.values, rows())),
    directions: () => W.slice(),
    dispose() {},
  };
}

/** Vectors without a subject. */
function vectorsOf(labelled: LabelledActivations): Dataset {
  return {
    ...{ id: 'trial', modality: 'vectors', fingerprint: 'trial' },
    corpus: async (split, n) => Array.from({ length: n }, (_, i) => ({ id: `${split}-${i}` })),
    concepts: async () => labelled.set,
  };
}

/**
 * Runs a task on rows in memory and on a method of 32 latents of which half fire, on no subject.
 *
 * @param method Another method to score, of 16 inputs.
 * @returns Its rows, checked against the metrics that it declares.
 * @throws UserError for a file that is no task, options that it does not take, or where it cannot run without a subject.
 */
export async function tryTask(
  file: string | URL,
  options?: Options,
  method = signedMethod(),
): Promise<ResultRowRecord[]> {
  const task = await pluginOf('task', file);
  const labelled = labelledRows();
  const test = sparseRows(200, createRng('trial test')).set;
  const once = createOnce();
  const context = {
    ...{ site: SITE, dataset: vectorsOf(labelled), labelled, test, train: labelled.activations },
    ...{ options: await resolved(task.options, options, task.id), rng: createRng(0), seed: 0, progress: () => {} },
    testItems: Array.from({ length: 200 }, (_, i) => ({ id: `test-${i}` })),
  };
  const reason = task.unavailable?.(context);
  if (reason !== undefined) throw new UserError(`trial of ${task.id}: it cannot run without a subject: ${reason}.`);
  const outcome = await task.run({
    ...context,
    method: { ...method, id: 'trial', kind: 'sae' },
    prepared: (await task.prepare?.(context)) ?? { json: {}, arrays: {} },
    latents: (set) => poolLatents(method, set),
    shared: once,
  });
  return checkedRows(outcome, task.metrics, `task ${task.id}`);
}

/**
 * Opens a dataset.
 *
 * @param baseDir Where relative paths in its options start; the current folder when omitted.
 * @throws UserError for a file that is no dataset, options that it does not take, and as the dataset throws.
 */
export async function tryDataset(file: string | URL, options?: Options, baseDir = process.cwd()): Promise<Dataset> {
  const dataset = await pluginOf('dataset', file);
  return dataset.open(await resolved(dataset.options, options, dataset.id), { seed: 0, baseDir });
}

/**
 * Asks a judge to rate texts.
 *
 * @param asked What they were steered to, and the prompt that they continue; the rest of the dataset where the judge reads it.
 * @returns A rating for each text.
 */
export async function tryJudge(
  file: string | URL,
  texts: readonly string[],
  asked: { concept: Concept; prompt: string; options?: Options; dataset?: Dataset },
): Promise<Rating[]> {
  const definition = await pluginOf('judge', file);
  const { concept, prompt, options, dataset = vectorsOf(labelledRows()) } = asked;
  const judge = await definition.open({
    ...{ options: await resolved(definition.options, options, definition.id), dataset },
    replies: { once: (_request, ask) => ask() },
  });
  try {
    return await judge.rate(texts.map((text) => ({ text, concept, prompt: { id: 'trial', text: prompt } })));
  } finally {
    judge.dispose();
  }
}
