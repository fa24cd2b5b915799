/**
 * @file The contract of saxbench: all that the author of a plug-in (an SAE variant, a baseline, a task, a subject
 * family, a dataset, a judge) needs to open. The types are grouped by what they describe; `define*` are the entry points. The
 * tools to build one with are in `kit/`.
 */
import type { DatasetDefinition } from './contract/data.ts';
import type { JudgeDefinition } from './contract/judge.ts';
import type { BaselineDefinition } from './contract/methods.ts';
import type { SaeDefinition } from './contract/sae.ts';
import type { SubjectDefinition } from './contract/subject.ts';
import type { TaskDefinition } from './contract/task.ts';

export type * from './contract/chat.ts';
export type * from './contract/data.ts';
export type * from './contract/judge.ts';
export type * from './contract/methods.ts';
export type * from './contract/plugin.ts';
export type * from './contract/sae.ts';
export type * from './contract/subject.ts';
export type * from './contract/task.ts';

export { UserError } from './errors.ts';
export type { Rng } from './num/rng.ts';
export * from './num/tf.ts';

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
export function defineTask<O, P = unknown>(definition: TaskDefinition<O, P>): Kinded<'task', TaskDefinition<O, P>> {
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

/** Declares a judge; the default export of `tasks/judges/<id>.ts` or of a `--plugin` file. */
export function defineJudge<O>(definition: JudgeDefinition<O>): Kinded<'judge', JudgeDefinition<O>> {
  return { ...definition, kind: 'judge' };
}
