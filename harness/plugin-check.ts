/** @file Checks that a module's default export is the plug-in that it claims to be. Light: loads no validator. */

import type { JudgeDefinition } from './contract/judge.ts';
import type { BaselineDefinition } from './contract/methods.ts';
import type { SaeDefinition } from './contract/sae.ts';
import type { SubjectDefinition } from './contract/subject.ts';
import type { MetricDefinition, TaskDefinition, TaskDisplay } from './contract/task.ts';
import type { DatasetDefinition, OptionsSchema, Plugin } from './contract.ts';
import { shown, UserError } from './errors.ts';

/** A definition by kind, as `define*` returns it. */
export interface DefinitionByKind {
  sae: SaeDefinition & { kind: 'sae' };
  baseline: BaselineDefinition & { kind: 'baseline' };
  task: TaskDefinition & { kind: 'task' };
  dataset: DatasetDefinition & { kind: 'dataset' };
  judge: JudgeDefinition & { kind: 'judge' };
  subject: SubjectDefinition & { kind: 'subject' };
}
export type PluginKind = keyof DefinitionByKind;
export type Definition = DefinitionByKind[PluginKind];

const REQUIRED: Readonly<Record<PluginKind, { functions: string[]; options?: string }>> = {
  sae: { functions: ['init', 'encode', 'decode', 'loss', 'directions'], options: 'hyperparameters' },
  baseline: { functions: ['fit', 'restore'], options: 'options' },
  task: { functions: ['run'], options: 'options' },
  dataset: { functions: ['open'], options: 'options' },
  judge: { functions: ['open'], options: 'options' },
  subject: { functions: ['load'] },
};

/** Ids are file names and parts of result paths: letters, digits and single dashes or underscores. */
const ID = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/i;

const DIRECTIONS = ['max', 'min', 'none'];
const NEEDS = ['nothing', 'activations', 'labels', 'subject', 'gradients', 'text'];
const MEASURES = ['judged', 'likelihood'];
const MODALITIES = ['text', 'image', 'vectors'];

/**
 * Returns `value` as a definition when it is a complete one.
 *
 * @param source The file it came from, for messages.
 * @param id The id it must have: the file's name without extension.
 * @param kind The kind it must have; any when omitted.
 * @throws UserError saying what was expected, what was found and in which file.
 */
export function checkDefinition(value: unknown, source: string, id: string, kind?: PluginKind): Definition {
  const fail = (expected: string, found: unknown): never => {
    throw new UserError(`plug-in ${source}: expected ${expected}; found ${describe(found)}.`);
  };
  if (typeof value !== 'object' || value === null) {
    return fail(
      'a default export made by defineSae, defineBaseline, defineTask, defineDataset, defineJudge or defineSubject',
      value,
    );
  }
  const plugin = value as Plugin & Record<string, unknown>;
  const found = plugin['kind'] as PluginKind;
  if (!Object.hasOwn(REQUIRED, String(found)) || (kind !== undefined && found !== kind)) {
    fail(kind === undefined ? 'a default export made by a define… function' : `a plug-in of kind '${kind}'`, found);
  }
  if (typeof plugin.id !== 'string' || !ID.test(plugin.id)) fail('an id of letters, digits and dashes', plugin.id);
  if (plugin.id !== id) fail(`the id '${id}', as the file is named`, plugin.id);
  if (typeof plugin.title !== 'string' || plugin.title === '') fail('a title of one line', plugin.title);
  if (!Number.isInteger(plugin.version) || plugin.version < 1) fail('a version, 1 or more', plugin.version);
  for (const name of REQUIRED[found].functions) {
    if (typeof plugin[name] !== 'function') fail(`a function '${name}'`, plugin[name]);
  }
  const options = REQUIRED[found].options;
  if (options !== undefined) checkOptions(plugin[options], options, fail);
  const texts: readonly unknown[] = [plugin.paper ?? '', plugin.licence ?? ''];
  const odd = texts.find((text) => typeof text !== 'string');
  if (odd !== undefined) fail("'paper' and 'licence': texts, or none", odd);
  const files: unknown = plugin.files ?? [];
  if (!Array.isArray(files) || !files.every((name) => typeof name === 'string'))
    fail("'files': a list of paths", files);
  if (found === 'task') {
    checkMetrics(plugin['metrics'], fail);
    checkAxes(plugin['axes'], fail);
    checkShows(plugin as unknown as TaskDefinition, fail);
    checkWords(plugin as unknown as TaskDefinition, fail);
    checkMeasure(plugin['measure'], plugin['options'] as OptionsSchema, fail);
    checkEmbeds(plugin['embeds'], plugin['options'] as OptionsSchema, fail);
  }
  if (found === 'judge') checkEmbeds(plugin['embeds'], plugin['options'] as OptionsSchema, fail, true);
  if (found === 'baseline' && !NEEDS.includes(String(plugin['needs']))) {
    fail(`'needs': one of ${NEEDS.join(', ')}`, plugin['needs']);
  }
  if (found === 'dataset' && !MODALITIES.includes(String(plugin['modality']))) {
    fail(`'modality': one of ${MODALITIES.join(', ')}`, plugin['modality']);
  }
  return plugin as unknown as Definition;
}

type Fail = (expected: string, found: unknown) => never;

function checkOptions(options: unknown, name: string, fail: Fail): void {
  if (typeof options !== 'object' || options === null) fail(`'${name}': a schema for each option`, options);
  for (const [key, schema] of Object.entries(options as OptionsSchema)) {
    if (typeof schema?.description !== 'string') fail(`'${name}.${key}' to have a description`, schema);
  }
}

function checkMeasure(measure: unknown, options: OptionsSchema, fail: Fail): void {
  if (measure !== undefined && !MEASURES.includes(measure as string)) {
    fail(`'measure': one of ${MEASURES.join(', ')}, or none`, measure);
  }
  const named = typeof options['judge']?.default === 'string';
  if (measure === 'judged' && !named) fail("an option 'judge' with an id as its default", options['judge']?.default);
  if (measure === 'likelihood' && options['judge']) fail("no option 'judge' beside measure 'likelihood'", 'one');
}

/** @param defaults Whether the option may have a default: a task's default is another way of comparing. */
function checkEmbeds(embeds: unknown, options: OptionsSchema, fail: Fail, defaults = false): void {
  if (embeds !== undefined && typeof embeds !== 'boolean') fail("'embeds': true or false", embeds);
  const option = options['embedder'];
  if (embeds === true && (option?.['type'] !== 'string' || (!defaults && option.default !== undefined))) {
    const without = defaults ? '' : ' without a default';
    fail(`an option 'embedder' of type string${without} beside 'embeds'`, option ?? 'none');
  }
}

function checkAxes(axes: unknown, fail: Fail): void {
  const texts =
    typeof axes === 'object' && axes !== null && Object.values(axes).every((text) => typeof text === 'string');
  if (!texts) fail("'axes': what each axis means, by name", axes);
}

function checkMetrics(metrics: unknown, fail: Fail): void {
  if (typeof metrics !== 'object' || metrics === null) fail("'metrics': a definition for each metric", metrics);
  const entries = Object.entries(metrics as Record<string, MetricDefinition>);
  for (const [name, metric] of entries) {
    if (typeof metric !== 'object' || metric === null) fail(`metric '${name}': a definition`, metric);
  }
  const main = entries.filter(([, metric]) => metric.main === true).map(([name]) => name);
  if (main.length !== 1) fail('exactly one metric with main: true', main.length === 0 ? 'none' : main.join(', '));
  for (const [name, metric] of entries) {
    if (!DIRECTIONS.includes(metric.direction))
      fail(`metric '${name}': a direction max, min or none`, metric.direction);
    const { range, unit } = metric;
    const ends =
      Array.isArray(range) && range.length === 2 && range.every((end) => end === null || Number.isFinite(end));
    if (!ends) fail(`metric '${name}': a range [low, high]`, range);
    if (typeof unit !== 'string') fail(`metric '${name}': a unit`, unit);
  }
}

/** Metrics of its own that a task shows, with the part of `shows` that names each. */
function metricsShown(
  id: string,
  { columns, overview, bands, scatter, fronts, costs, scaling }: TaskDisplay,
): [string, unknown][] {
  const named: [string, readonly unknown[]][] = [
    ['columns', columns ?? []],
    ['overview', overview ?? []],
    ['bands', bands ? [bands.metric] : []],
    ['scatter', scatter ? [scatter.x, scatter.y] : []],
    // What another task measures, its own definition says.
    [
      'fronts',
      fronts?.flatMap((front) => ((front?.x?.task ?? id) === id ? [front?.y, front?.x?.metric] : [front.y])) ?? [],
    ],
    ['costs', costs ?? []],
    ['scaling', scaling ? [scaling.missing] : []],
  ];
  return named.flatMap(([part, names]) => names.map((name): [string, unknown] => [part, name]));
}

function checkWords({ words }: TaskDefinition, fail: Fail): void {
  const isList = words === undefined || (Array.isArray(words) && words.every((name) => typeof name === 'string'));
  if (!isList) fail("'words': a list of names of fields of 'details'", words);
}

/** What a task shows is what it has: of a name that is not, reports would draw nothing, without a word. */
function checkShows({ id, metrics, axes, shows = {}, controls = [] }: TaskDefinition, fail: Fail): void {
  if (typeof shows !== 'object' || shows === null || Array.isArray(shows)) fail("'shows': an object", shows);
  for (const part of ['columns', 'overview', 'fronts', 'costs'] as const) {
    if (shows[part] !== undefined && !Array.isArray(shows[part])) fail(`'shows.${part}': a list`, shows[part]);
  }
  for (const [part, name] of metricsShown(id, shows)) {
    const has = typeof name === 'string' && Object.hasOwn(metrics, name);
    if (!has) fail(`'shows.${part}': metrics of the task (${Object.keys(metrics).join(', ')})`, name);
  }
  const axis = Object.keys(shows.ranked ?? {}).find((name) => !Object.hasOwn(axes, name));
  const stranger = shows.withheld?.beatenBy?.find((name) => !controls.includes(name));
  if (stranger !== undefined)
    fail(`'shows.withheld.beatenBy': controls of the task (${controls.join(', ')})`, stranger);
  if (axis !== undefined) fail(`'shows.ranked': axes of the task (${Object.keys(axes).join(', ')})`, axis);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value === undefined) return 'nothing';
  return typeof value === 'object' ? shown(value) : `${typeof value} ${String(value)}`.trim();
}
