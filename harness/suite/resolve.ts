/** @file Resolves a suite: finds its subjects and plug-ins, checks every option, fingerprints every input. */
import type { StepCode } from '../code/step-code.ts';
import type { Dataset, RandomInit } from '../contract.ts';
import { UserError } from '../errors.ts';
import { folderStamp, subjectFingerprint } from '../io/fingerprint.ts';
import { resolveOptions, SIZE_OPTIONS, SPARSITY_OPTIONS, TARGET_OPTION } from '../options.ts';
import type { DefinitionByKind, PluginKind } from '../plugin-check.ts';
import { CHECKPOINT, type Registry } from '../registry.ts';
import type { Suite, SuiteMethod, SuiteSubject } from '../schema/suite.generated.ts';
import { validate } from '../schema/validate.ts';
import { checkModels, resolveCheckpoint } from './checkpoint.ts';
import { refuseOwnEmbedder, resolveEmbedder } from './embedder.ts';
import { labelsFile } from './latent-labels.ts';
import { methodName, subjectName } from './load.ts';
import { plantedRemark } from './planted.ts';
import { resolveDataset, resolveGeneral } from './resolve-dataset.ts';
import { type ChatPlace, resolveJudges } from './resolve-judges.ts';
import {
  generalOf,
  IMPORTED,
  type ImportDraw,
  isImported,
  judgesOf,
  NO_FAMILY,
  type ResolvedMethod,
  type ResolvedSubject,
  type ResolvedSuite,
  type ResolvedTask,
  type SuiteCode,
} from './resolved.ts';
import { type CardDeclarations, cardDeclarations } from './subject-card.ts';
import { familyOf, isToFetch, refuseSubject, subjectByName, subjectFolder } from './subjects.ts';

/** Versions of the harness's own numeric parts, handed in so that resolving loads none of them. */
export interface EngineVersions {
  backend: string;
  /** What of the backend decides bits; see {@link ResolvedSuite.arithmetic}. */
  arithmetic: string;
  collect: number;
  trainer: number;
}

/** Opens imported activations for their fingerprint and labels. */
export type OpenImport = (
  folder: string,
  draw: ImportDraw,
) => Promise<{ fingerprint: string; dataset: Dataset; trainable: number; notes: string[] }>;

export interface ResolveContext {
  registry: Registry;
  code: StepCode;
  versions: EngineVersions;
  /** Folder that the suite's relative paths start from. */
  baseDir: string;
  limited: boolean;
  /** What judges that ask a chat model are given. */
  chat?: ChatPlace;
  openImport: OpenImport;
}

/** Items a split where a suite does not say. */
const DEFAULT_ITEMS = { train: 2000, test: 500 };

/**
 * Fills in everything that plan and execution need.
 *
 * @throws UserError for unknown names, wrong options, missing folders.
 */
export async function resolveSuite(suite: Suite, context: ResolveContext): Promise<ResolvedSuite> {
  const { registry, versions, limited } = context;
  const where = `suite ${suite.id}`;
  const tasks = await Promise.all(
    suite.tasks.map((task) => resolveTask(task, registry, where, { chat: context.chat ?? {} })),
  );
  const methods = await resolveMethods(suite, registry, where);
  const present = new Set(methods.map(({ id }) => id));
  for (const id of [...new Set(tasks.flatMap(({ controls }) => controls))].sort()) {
    if (!present.has(id)) methods.push(await resolveMethod({ id }, registry, where, true));
  }
  const subjects: ResolvedSubject[] = [];
  for (const subject of suite.subjects) subjects.push(await resolveSubject(subject, suite.methods, context, where));
  checkModels(methods, subjects, where);
  refuseOwnEmbedder(subjects, tasks, where);
  const seeds = suite.seeds ?? [0];
  const { id, title, plantedControl } = suite;
  const { backend, arithmetic, trainer } = versions;
  const parts = { subjects, methods, tasks };
  const code = await codeOf(parts, context.code);
  const control = plantedControl === undefined ? {} : { plantedControl };
  return { id, title, ...control, limited, seeds, backend, arithmetic, code, trainerVersion: trainer, ...parts };
}

/** Digests of the machine and of all plug-ins that a suite names. */
async function codeOf(
  { subjects, methods, tasks }: Pick<ResolvedSuite, 'subjects' | 'methods' | 'tasks'>,
  code: StepCode,
): Promise<SuiteCode> {
  const own = subjects.filter((subject) => !isImported(subject));
  const named: [PluginKind, string][] = [
    ...own.flatMap(({ family, dataset, general }): [PluginKind, string][] => [
      ...(dataset.ownActivations ? [] : [['subject', family.split('@')[0]!] satisfies [PluginKind, string]]),
      ['dataset', dataset.id],
      ...(generalOf({ general }) ? [['dataset', generalOf({ general })!.id] satisfies [PluginKind, string]] : []),
    ]),
    ...methods
      .filter(({ checkpoint, variant }) => checkpoint === undefined || variant !== undefined)
      .map(({ kind, id, variant = id }): [PluginKind, string] => [kind, variant]),
    ...tasks.map(({ id }): [PluginKind, string] => ['task', id]),
    ...tasks.flatMap(({ embedder }): [PluginKind, string][] =>
      embedder ? [['subject', embedder.family.split('@')[0]!]] : [],
    ),
    ...tasks.flatMap((task) => judgesOf(task).map(({ id }): [PluginKind, string] => ['judge', id])),
  ];
  const plugins = named.map(async ([kind, id]) => [`${kind} ${id}`, await code.plugin(kind, id)] as const);
  return { machine: code.machine, plugins: Object.fromEntries(await Promise.all(plugins)) };
}

/**
 * @param fetch Whether an encoder that is not on this machine is fetched; it is left out otherwise.
 * @param chat Of a run: what is missing to ask a judge is refused then. Whoever only checks a suite leaves it out.
 */
export async function resolveTask(
  given: Suite['tasks'][number],
  registry: Registry,
  where: string,
  { fetch = true, chat }: { fetch?: boolean; chat?: ChatPlace } = {},
): Promise<ResolvedTask> {
  const task = await registry.get('task', given.id);
  const label = `${where}: task ${task.id}`;
  const resolved = await resolveOptions(task.options, given.options, label);
  // By its fingerprint, and not by where it lies.
  const { embedder, ...others } = resolved;
  const own = task.embeds ? others : resolved;
  await checkShown(task, registry, where);
  const judges = task.measure === 'judged' ? await resolveJudges(own, registry, label, chat) : undefined;
  const encoder = (task.embeds ? embedder : undefined) ?? judges?.embedder;
  const away = encoder === undefined || (!fetch && (await isToFetch(await subjectByName(String(encoder)))));
  return {
    id: task.id,
    title: task.title,
    version: task.version,
    options: judges?.options ?? own,
    optionsPassed: given.options ?? {},
    seeded: task.seeded,
    prepares: task.prepare !== undefined,
    controls: task.controls ?? [],
    ...(task.readsTarget ? { readsTarget: true } : {}),
    ...(task.exclusive ? { exclusive: true } : {}),
    ...(task.comparesSeeds ? { comparesSeeds: true } : {}),
    ...(task.comparesGeneral ? { comparesGeneral: true } : {}),
    ...(task.measure ? { steers: true } : {}),
    ...(judges ? judges.resolved : {}),
    ...(away ? {} : { embedder: await resolveEmbedder(String(encoder), registry, label) }),
    subjects: given.subjects,
    ...(given.methods ? { methods: given.methods } : {}),
  };
}

/**
 * What a task from outside shows has the form that results keep: they would be refused when all is computed. And its fronts
 * along what another task measures are of metrics that it does: of others nothing would be drawn.
 *
 * @throws UserError naming what is wrong, or both tasks. A task that is not here may come with another plug-in.
 */
async function checkShown({ id, shows }: DefinitionByKind['task'], registry: Registry, where: string): Promise<void> {
  if (!shows || registry.fileOf('task', id) === undefined) return;
  await validate('display', shows, `${where}: task ${id}: 'shows'`);
  const known = await registry.ids('task');
  for (const { x } of shows.fronts ?? []) {
    if (x.task === undefined || !known.includes(x.task)) continue;
    const { metrics } = await registry.get('task', x.task);
    if (Object.hasOwn(metrics, x.metric)) continue;
    const names = Object.keys(metrics).join(', ');
    throw new UserError(
      `${where}: task ${id}: 'shows.fronts': expected a metric of the task ${x.task} (${names}); found '${x.metric}'.`,
    );
  }
}

/** The suite's methods, checkpoints among them; paths must be absolute. */
export function resolveMethods(suite: Suite, registry: Registry, where: string): Promise<ResolvedMethod[]> {
  return Promise.all(
    suite.methods.map(async (method) => {
      const resolved = await (method.id === CHECKPOINT.id
        ? resolveCheckpoint(method, suite.subjects, registry, where)
        : resolveMethod(method, registry, where, false));
      return method.labels === undefined ? resolved : { ...resolved, labels: await labelsFile(method.labels) };
    }),
  );
}

async function resolveMethod(
  given: SuiteMethod,
  registry: Registry,
  where: string,
  control: boolean,
): Promise<ResolvedMethod> {
  const method = (await registry.method(given.id)) as DefinitionByKind['sae'] | DefinitionByKind['baseline'];
  const label = `${where}: method ${methodName(given)}`;
  for (const key of ['path', 'site', 'anyOrigin'] as const) {
    if (given[key] === undefined) continue;
    throw new UserError(`${label}: has '${key}', which only the method '${CHECKPOINT.id}' has.`);
  }
  if (given.trainedOn !== undefined && (method.kind === 'baseline' || method.data?.target !== undefined)) {
    throw new UserError(
      `${label}: trainedOn: expected an SAE that reconstructs the site that it reads; found ${method.id}.`,
    );
  }
  if (method.kind === 'baseline' && given.training !== undefined) {
    throw new UserError(`${label}: has 'training', which only SAEs have; put its settings into 'options'.`);
  }
  const common = {
    id: method.id,
    name: methodName(given),
    title: method.title,
    paper: method.paper,
    version: method.version,
    optionsPassed: given.options ?? {},
    training: (given.training ?? {}) as Record<string, unknown>,
    subjects: given.subjects,
    ...(given.sites === undefined ? {} : { sites: given.sites }),
    ...(given.trainedOn === undefined ? {} : { general: true as const }),
    control,
    ...(method.kind === 'baseline' && method.nullRow ? { nullRow: true } : {}),
  };
  if (method.kind === 'sae') {
    const options = await resolveOptions(saeOptions(method), given.options, label);
    const sparsity = SPARSITY_OPTIONS.find((name) => name in options);
    const named = sparsity === undefined ? {} : { sparsity };
    const target = targetOf(method, options, label);
    return { ...common, ...named, kind: 'sae', options, seeded: true, needs: 'activations', ...target };
  }
  const { seeded, needs, modalities } = method;
  const options = await resolveOptions(method.options, given.options, label);
  return { ...common, kind: 'baseline', options, seeded, needs, modalities };
}

/** A variant's hyper-parameters with the sizes that every SAE has, and the target of those that have one. */
export const saeOptions = (method: DefinitionByKind['sae']) => ({
  ...SIZE_OPTIONS,
  ...(method.data?.target === undefined ? {} : TARGET_OPTION),
  ...method.hyperparameters,
});

/** The site that a variant reconstructs. @throws UserError where it needs one and none is named. */
function targetOf(
  { id, data }: DefinitionByKind['sae'],
  options: Record<string, unknown>,
  label: string,
): Pick<ResolvedMethod, 'target'> {
  if (data?.target === undefined) return {};
  const target = options['target'] as string | undefined;
  if (target !== undefined) return { target };
  throw new UserError(
    `${label}: target: expected the site that '${id}' reconstructs, as "options": { "target": "blocks.2.hook_mlp_out" } in a suite ` +
      'or --option target=blocks.2.hook_mlp_out of train; found none.',
  );
}

/** What readers of results must know of a control where nothing was learned. */
const RANDOM_REMARK: Record<RandomInit, string> = {
  all: 'random weights: every tensor drawn anew with the mean and spread that it has as trained (arXiv:2501.17727)',
  blocks:
    'random weights: every tensor but the embeddings drawn anew with the mean and spread that it has as trained (arXiv:2501.17727)',
};

/** What a card declares, for readers of results and for the plan; where weights are drawn anew nothing is left of it. */
async function declarationsOf(folder: string, randomInit: RandomInit | undefined): Promise<CardDeclarations> {
  if (randomInit !== undefined) return { remarks: [RANDOM_REMARK[randomInit]] };
  const { remarks, planted } = await cardDeclarations(folder);
  return planted === undefined ? { remarks } : { remarks: [...remarks, plantedRemark(planted)], planted };
}

/** @throws UserError where a subject would be what it is without `randomInit`, under the name of a control. */
function refuseRandomInit(given: SuiteSubject, what: string, where: string): void {
  if (given.randomInit === undefined) return;
  const name = subjectName({ ...given, randomInit: undefined });
  throw new UserError(
    `${where}: subject ${name}: randomInit: expected a model whose weights can be drawn anew; found ${what}.`,
  );
}

async function resolveSubject(
  given: SuiteSubject,
  methods: readonly SuiteMethod[],
  context: ResolveContext,
  where: string,
): Promise<ResolvedSubject> {
  const { activations, concepts = {}, sites, training = {} } = given;
  const from = activations?.from;
  const common = {
    id: subjectName(given),
    sites,
    concepts,
    training: training as Record<string, unknown>,
    collect: {
      version: context.versions.collect,
      train: activations?.train ?? DEFAULT_ITEMS.train,
      test: activations?.test ?? DEFAULT_ITEMS.test,
      dtype: activations?.dtype ?? ('float32' as const),
      policy: activations?.policy ?? {},
      maxLength: activations?.maxLength,
    },
  };
  const { baseDir } = context;
  const refuse = (what: string) => refuseRandomInit(given, what, where);
  if (from !== undefined) {
    refuse('imported activations');
    const place = { imported: from, baseDir };
    return { ...common, place, ...(await resolveImport(from, common, activations!, context)) };
  }
  const dataset = await resolveDataset(given, given.dataset!, context, where);
  if (dataset.ownActivations) {
    refuseSubject(given, dataset.id, where);
    refuse(`the activations of dataset ${dataset.id}`);
    return { ...common, place: { baseDir }, fingerprint: dataset.fingerprint, family: NO_FAMILY, dataset };
  }
  const folder = await subjectFolder(given, baseDir);
  const family = await familyOf(folder, context.registry);
  const { randomInit } = given;
  if (family.randomInit !== true) refuse(`the family '${family.id}', which always loads trained weights`);
  const { remarks, planted } = await declarationsOf(folder, randomInit);
  return {
    ...common,
    place: { folder, stamp: await folderStamp(folder), baseDir },
    ...(remarks.length > 0 ? { remarks } : {}),
    ...(planted === undefined ? {} : { planted }),
    fingerprint: await subjectFingerprint(folder, randomInit),
    ...(randomInit && { randomInit }),
    family: `${family.id}@${family.version}`,
    dataset,
    ...(await resolveGeneral(given, dataset, methods, context, where)),
  };
}

/** What is read of a folder of imported activations, and how its items are drawn. */
async function resolveImport(
  folder: string,
  { collect, concepts }: Pick<ResolvedSubject, 'collect' | 'concepts'>,
  { modality, seed = 0, train: asked }: NonNullable<SuiteSubject['activations']>,
  { openImport }: ResolveContext,
): Promise<Pick<ResolvedSubject, 'draw' | 'collect' | 'fingerprint' | 'family' | 'dataset' | 'notes'>> {
  const draw: ImportDraw = { ...(modality && { modality }), seed, test: collect.test, concepts };
  const { fingerprint, dataset, trainable, notes } = await openImport(folder, draw);
  const train = Math.min(asked ?? trainable, trainable);
  const short = asked !== undefined && asked > trainable ? `; ${asked} were asked for` : '';
  return {
    draw,
    fingerprint,
    family: IMPORTED,
    collect: { ...collect, train },
    notes: [...notes, `trained on ${train} of the ${trainable} items that tests and concepts leave${short}`],
    dataset: {
      ...{ id: dataset.id, version: 1, options: { seed }, optionsPassed: {}, seed },
      modality: dataset.modality,
      fingerprint: dataset.fingerprint,
      hasConcepts: dataset.concepts !== undefined,
    },
  };
}
