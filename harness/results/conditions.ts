/** @file Under which conditions results were made, as far as a person sets them: in words, one for each setting. */
import type { Result, ResultEmbedder } from '../schema/result.generated.ts';

/** What a result says about its conditions, or what a plan will make it say. */
export interface Circumstances {
  subject: Pick<Result['subject'], 'fingerprint'>;
  dataset: Pick<Result['dataset'], 'id' | 'fingerprint' | 'options'>;
  task: { options: Result['task']['options']; embedder?: Pick<ResultEmbedder, 'fingerprint'> | undefined };
  settings: Pick<Result['settings'], 'data'>;
  limited: boolean;
  backend: string;
}

/** A backend as a condition: numbers of two precisions do not stand in one table. */
export const backendInWords = ({ name, precision }: { name: string; precision?: string }): string =>
  precision === 'bf16' ? `${name} bf16` : name;

/** Values by the name of the setting. */
export type Conditions = Record<string, string>;

/** Values in words, each name after a prefix. */
export function inWords(prefix: string, values: Record<string, unknown>): Conditions {
  const word = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [prefix + name, word(value)]));
}

/** All that the methods of one table share but code: a change of it makes another table. */
export const conditionsOf = ({ subject, dataset, task, settings, limited, backend }: Circumstances): Conditions => ({
  ...inWords('task.', task.options),
  // By what it is: where it lies is no option.
  ...inWords('task.', { embedder: task.embedder?.fingerprint }),
  ...inWords('dataset.', dataset.options),
  ...inWords('data.', { ...settings.data }),
  dataset: `${dataset.id} ${dataset.fingerprint}`,
  subject: subject.fingerprint,
  backend,
  limited: String(limited),
});
