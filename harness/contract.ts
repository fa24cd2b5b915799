/**
 * @file The contract of saxbench: all that the author of a plug-in (an SAE variant, a baseline, a task, a subject
 * family, a dataset) needs to open. The types are grouped by what they describe; `define*` are the entry points.
 */
import type { Dataset } from './contract/data.ts';
import type { BaselineDefinition } from './contract/methods.ts';
import type { SaeDefinition } from './contract/sae.ts';
import type { SubjectDefinition } from './contract/subject.ts';
import type { TaskDefinition } from './contract/task.ts';

export type * from './contract/data.ts';
export type * from './contract/methods.ts';
export type * from './contract/sae.ts';
export type * from './contract/subject.ts';
export type * from './contract/task.ts';
export * from './contract/toolbox.ts';
export { shown, suggest, UserError, unknownName } from './errors.ts';

/** What every plug-in carries: its identity and where it comes from. `id` must equal the file's name. */
export interface Plugin {
  id: string;
  /** One line for tables and `saxbench ls`. */
  title: string;
  /** Citation of the method, e.g. `Gao et al. 2024, arXiv:2406.04093`; omitted where there is none. */
  paper?: string;
  /** Raised whenever the numbers change: part of the key of every step that the plug-in takes part in. */
  version: number;
  /** Set when a plug-in from outside is loaded: its file. What such a plug-in returns is checked. */
  source?: string;
}

/** A JSON-Schema fragment for a plug-in's options: property name → schema with `default` and `description`. */
export type OptionsSchema = Record<string, { default?: unknown; description: string; [keyword: string]: unknown }>;

/** A dataset plug-in: opens text or images, labelled or not, with the given options (already validated). */
export interface DatasetDefinition<O = Record<string, unknown>> extends Plugin {
  modality: 'text' | 'image';
  options: OptionsSchema;
  open(options: O, context: { seed: number; baseDir: string }): Promise<Dataset>;
}

type Kinded<K extends string, T> = T & { kind: K };

/** Declares an SAE variant; the default export of `models/sae/<id>.ts` or of a `--plugin` file. */
export function defineSae<H>(definition: SaeDefinition<H>): Kinded<'sae', SaeDefinition<H>> {
  return { ...definition, kind: 'sae' };
}

/** Declares a baseline; the default export of `baselines/<id>.ts` or of a `--plugin` file. */
export function defineBaseline<O>(definition: BaselineDefinition<O>): Kinded<'baseline', BaselineDefinition<O>> {
  return { ...definition, kind: 'baseline' };
}

/** Declares a task; the default export of `tasks/<id>.ts` or of a `--plugin` file. */
export function defineTask<O>(definition: TaskDefinition<O>): Kinded<'task', TaskDefinition<O>> {
  return { ...definition, kind: 'task' };
}

/** Declares a family of subjects; the default export of `models/subjects/<id>.ts`. */
export function defineSubject(definition: SubjectDefinition): Kinded<'subject', SubjectDefinition> {
  return { ...definition, kind: 'subject' };
}

/** Declares a dataset; the default export of `tasks/datasets/<id>.ts` or of a `--plugin` file. */
export function defineDataset<O>(definition: DatasetDefinition<O>): Kinded<'dataset', DatasetDefinition<O>> {
  return { ...definition, kind: 'dataset' };
}
