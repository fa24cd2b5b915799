/** @file `--plugin`: the person's own methods and tasks join a run by themselves, sized as what the suite has. */
import { existsSync } from 'node:fs';
import { siteOf } from '../activations/site-of.ts';
import { ownLayout } from '../checkpoints/layouts/own.ts';
import { openPlace } from '../checkpoints/place.ts';
import { SIZE_OPTIONS, SPARSITY_OPTIONS } from '../options.ts';
import type { PluginKind } from '../plugin-check.ts';
import { CHECKPOINT, PLUGIN_FOLDERS, type Registry } from '../registry.ts';
import type { Suite, SuiteMethod } from '../schema/suite.generated.ts';
import { readOwnSae } from '../train/own-layout.ts';
import { sitesOf } from './check.ts';
import { methodName, subjectName } from './load.ts';
import { sparsityFor } from './widths.ts';

/** The variant whose sizes a person's own takes over, where the suite has it. */
const REFERENCE = 'topk';

/** What plug-ins of a kind are called in a line. */
const KINDS: Readonly<Record<PluginKind, string>> = {
  sae: 'SAE',
  baseline: 'baseline',
  task: 'task',
  dataset: 'dataset',
  judge: 'judge',
  subject: 'family of subjects',
};

/** A plug-in from outside that the suite does not name. */
interface Outsider {
  kind: PluginKind;
  id: string;
  file: string;
  /** The variant of the suite whose sizes it has. */
  like?: string;
}

export interface JoinedSuite {
  suite: Suite;
  joined: Outsider[];
}

/** Plug-ins that were added from outside, by kind and then by id. */
async function outsiders(registry: Registry): Promise<Outsider[]> {
  const found: Outsider[] = [];
  for (const kind of Object.keys(PLUGIN_FOLDERS) as PluginKind[]) {
    for (const id of await registry.ids(kind)) {
      const file = registry.fileOf(kind, id);
      if (file !== undefined) found.push({ kind, id, file });
    }
  }
  return found;
}

/** The plug-in that a checkpoint in our own layout, named by folder or file, is read with: it is scored as it is, not trained anew. */
async function variantOf({ id, path, form }: SuiteMethod): Promise<string | undefined> {
  if (id !== CHECKPOINT.id || path === undefined) return undefined;
  const { localCheckpoint } = await import('../checkpoints/hub.ts');
  const place = await localCheckpoint(path, form);
  if (!existsSync(place)) return undefined;
  const { layoutByNames } = await import('../checkpoints/open.ts');
  if ((await layoutByNames(place))?.id !== ownLayout.id) return undefined;
  return (await readOwnSae((await openPlace(place)).folder)).variant;
}

/** Ids that a suite has a place for already: methods and their names, checkpoints' variants, controls, tasks. */
async function namesOf({ methods, tasks }: Suite, registry: Registry): Promise<Set<string>> {
  const variants = await Promise.all(methods.map(variantOf));
  const known = await registry.ids('task');
  const scored = tasks.filter(({ id }) => known.includes(id));
  const controls = await Promise.all(scored.map(async ({ id }) => (await registry.get('task', id)).controls ?? []));
  const names = methods.flatMap((method) => [method.id, methodName(method)]);
  return new Set([...names, ...variants.filter((id) => id !== undefined), ...controls.flat()]);
}

/** The entries of the suite's reference variant, those without a name of their own first. */
async function referenceOf({ methods }: Suite, registry: Registry): Promise<SuiteMethod[]> {
  const saes = new Set(await registry.ids('sae'));
  const own = methods.filter(({ id }) => saes.has(id));
  const id = own.find((method) => method.id === REFERENCE)?.id ?? own[0]?.id;
  const entries = own.filter((method) => method.id === id);
  return [...entries.filter(({ name }) => name === undefined), ...entries.filter(({ name }) => name !== undefined)];
}

type Options = Record<string, unknown>;

/** Options of another variant as far as they are sizes, in the names that this one has for them. */
function sizesFrom(options: Options, own: object): Options {
  const sizes = Object.entries(options).filter(([name]) => name in SIZE_OPTIONS);
  const sparsity = SPARSITY_OPTIONS.map((name) => options[name]).find((value) => value !== undefined);
  const names = sparsity === undefined ? [] : SPARSITY_OPTIONS.filter((name) => name in own);
  return Object.fromEntries([...sizes, ...names.map((name): [string, unknown] => [name, sparsity])]);
}

const meet = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
  a === undefined || b === undefined || a.some((name) => b.includes(name));

/** An entry for each place and size of the reference; where a place has one size, the entry has the plug-in's own name. */
async function entriesLike(id: string, reference: readonly SuiteMethod[], registry: Registry): Promise<SuiteMethod[]> {
  const { hyperparameters } = await registry.get('sae', id);
  const { hyperparameters: known } = await registry.get('sae', reference[0]!.id);
  const usual = Object.fromEntries(
    SPARSITY_OPTIONS.filter((name) => name in known).map((name) => [name, known[name]!.default]),
  );
  const entries = new Map<string, SuiteMethod>();
  for (const { id: other, name, subjects, sites, options, training: { tokens, batchSize } = {} } of reference) {
    const budget = { ...(tokens !== undefined && { tokens }), ...(batchSize !== undefined && { batchSize }) };
    const entry = {
      ...(subjects && { subjects }),
      ...(sites && { sites }),
      options: sizesFrom({ ...usual, ...options }, hyperparameters),
      ...(Object.keys(budget).length > 0 && { training: budget }),
    };
    const key = JSON.stringify(entry);
    const own = name?.startsWith(`${other}-`) ? `${id}${name.slice(other.length)}` : `${id}-${name}`;
    if (!entries.has(key)) entries.set(key, { id, ...(name !== undefined && { name: own }), ...entry });
  }
  const all = [...entries.values()];
  return all.map((entry) => {
    const { name: _name, ...rest } = entry;
    return all.some((it) => it !== entry && meet(it.subjects, rest.subjects) && meet(it.sites, rest.sites))
      ? entry
      : rest;
  });
}

/** Entries of a variant in a suite without SAEs: sized by the width of each site, where that is known. */
async function entriesByWidth(id: string, { subjects, id: suite }: Suite, registry: Registry): Promise<SuiteMethod[]> {
  const { hyperparameters } = await registry.get('sae', id);
  const names = SPARSITY_OPTIONS.filter((name) => name in hyperparameters);
  if (names.length === 0) return [{ id }];
  const entries: SuiteMethod[] = [];
  for (const subject of subjects) {
    const known = await sitesOf(subject, registry, `suite ${suite}`);
    for (const name of subject.sites) {
      const d = known && siteOf({ id: subjectName(subject), sites: known }, name).d;
      const options = Object.fromEntries(d === undefined ? [] : names.map((option) => [option, sparsityFor(d)]));
      entries.push({ id, subjects: [subjectName(subject)], sites: [name], options });
    }
  }
  const alike = entries.every(({ options }) => JSON.stringify(options) === JSON.stringify(entries[0]!.options));
  return alike ? [{ id, options: entries[0]!.options }] : entries;
}

/**
 * The suite with the SAEs, baselines and tasks from outside that it does not name itself. An SAE stands where the suite's
 * reference variant does (topk, else its first SAE) and has its sizes; a suite without SAEs sizes it by the width of its
 * sites. Paths in the suite must be absolute.
 *
 * @param given The suite before a command line exchanged its subjects: what it names there, it keeps.
 */
export async function joinPlugins(suite: Suite, registry: Registry, given: Suite = suite): Promise<JoinedSuite> {
  const all = await outsiders(registry);
  const tasks = all.filter(({ kind, id }) => kind === 'task' && !given.tasks.some((task) => task.id === id));
  const wider = { ...suite, tasks: [...suite.tasks, ...tasks.map(({ id }) => ({ id }))] };
  const named = new Set([...(await namesOf(given, registry)), ...(await namesOf(wider, registry))]);
  const free = all.filter(({ kind, id }) => (kind === 'sae' || kind === 'baseline') && !named.has(id));
  const reference = await referenceOf(suite, registry);
  const like = reference[0]?.id;
  const methods = [...suite.methods];
  const limits = { ...suite.limits?.methods };
  for (const { kind, id } of free) {
    if (kind === 'baseline') methods.push({ id });
    else if (like === undefined) methods.push(...(await entriesByWidth(id, suite, registry)));
    else {
      methods.push(...(await entriesLike(id, reference, registry)));
      const { hyperparameters } = await registry.get('sae', id);
      if (limits[like]) limits[id] = sizesFrom(limits[like], hyperparameters);
    }
  }
  const joined = [...free.map((it) => (it.kind === 'sae' ? { ...it, like } : it)), ...tasks];
  const capped = suite.limits && { limits: { ...suite.limits, methods: limits } };
  return { suite: joined.length === 0 ? suite : { ...wider, methods, ...capped }, joined };
}

/**
 * The suite with SAEs and baselines of ours that it has not at its one site: what is to stand beside its methods. An SAE has
 * the sizes of the suite's reference variant, and stands only where there is one.
 */
export async function besideMethods(suite: Suite, ids: readonly string[], registry: Registry): Promise<Suite> {
  const [subject] = suite.subjects;
  const here = suite.methods.filter(
    ({ subjects, sites }) => meet(subjects, [subjectName(subject!)]) && meet(sites, subject!.sites),
  );
  const reference = await referenceOf({ ...suite, methods: here }, registry);
  const saes = new Set(await registry.ids('sae'));
  const methods: SuiteMethod[] = [];
  for (const id of ids.filter((id) => !here.some((method) => method.id === id))) {
    if (!saes.has(id)) methods.push({ id });
    else if (reference.length > 0) methods.push(...(await entriesLike(id, reference.slice(0, 1), registry)));
  }
  return { ...suite, methods: [...here, ...methods] };
}

/** Where an entry stands, and with what sizes. */
function sizeText({ name, subjects, sites, options = {} }: SuiteMethod): string {
  const sizes = [...Object.keys(SIZE_OPTIONS), ...SPARSITY_OPTIONS].filter((option) => options[option] !== undefined);
  const text = sizes.map((option) => `${option} ${options[option]}`).join(', ') || 'its own defaults';
  const places = [text, subjects && `on ${subjects.join(', ')}`, sites && `at ${sites.join(', ')}`];
  return [name && `${name}:`, ...places].filter(Boolean).join(' ');
}

/**
 * A line for each plug-in that joined, with its sizes as they are now: filters and options may have changed them since.
 *
 * @param sized Whether its sizes follow the width of another subject, and are told of with the others'.
 */
export function joinedLines(suite: Suite, joined: readonly Outsider[], sized = false): string[] {
  const { subjects, methods, tasks } = suite;
  const stands = (method: SuiteMethod) =>
    subjects.some((it) => meet(method.subjects, [subjectName(it)]) && meet(method.sites, it.sites));
  return joined.flatMap(({ kind, id, file, like }) => {
    const entries = methods.filter((method) => method.id === id && stands(method));
    if (kind === 'task' ? !tasks.some((task) => task.id === id) : entries.length === 0) return [];
    const start = `${id} (${KINDS[kind]} of ${file}) joins the run`;
    if (kind !== 'sae') return [`${start} with its own defaults.`];
    if (sized) return [`${start}.`];
    const origin = like === undefined ? 'sized by d_in' : `sized as ${like}`;
    return [`${start}, ${origin}: ${entries.map(sizeText).join('; ')} (--option ${id}.NAME=VALUE sets others).`];
  });
}

/** How a plug-in comes into a run that joins none by itself. */
const WAYS: Partial<Record<PluginKind, (id: string) => string>> = {
  dataset: (id) => `name it, --dataset ${id}, or as a subject's dataset in a suite`,
  judge: (id) => `name it in a suite, as the option "judge": "${id}" of a task`,
  subject: () => 'name a model folder of its type, --subject DIR',
};

/** A line for each dataset, judge and family from outside that the suite makes no use of: they join no run by themselves. */
export async function idleLines({ subjects, tasks }: Suite, registry: Registry): Promise<string[]> {
  const used: Partial<Record<PluginKind, (id: string) => boolean>> = {
    dataset: (id) => subjects.some(({ dataset }) => dataset?.id === id),
    judge: (id) => tasks.some(({ options }) => options?.['judge'] === id),
    // Which family reads a folder shows when it is opened.
    subject: () => subjects.some(({ path, hub }) => path !== undefined || hub !== undefined),
  };
  const idle = (await outsiders(registry)).filter(({ kind, id }) => used[kind]?.(id) === false);
  return idle.map(
    ({ kind, id, file }) => `${id} (${KINDS[kind]} of ${file}) joins no run by itself: ${WAYS[kind]!(id)}.`,
  );
}
