/** @file Results → CSV, one line a number: the long form that any statistics program reads. */
import { stringify } from 'csv-stringify/sync';
import { canonicalJson } from '../harness/io/json.ts';
import type { Result } from '../harness/schema/result.generated.ts';

const COLUMNS = [
  'suite',
  'subject',
  'modality',
  'site',
  'dataset',
  'task',
  'task_version',
  'method',
  'kind',
  'control',
  'd_sae',
  'axes',
  'seed',
  'limited',
  'metric',
  'value',
  'ci95_low',
  'ci95_high',
  'n',
  'unit',
  'direction',
  'reason',
  'backend',
  'key',
  'method_identity',
  'method_options',
  'training_options',
  'task_options',
  'dataset_options',
] as const;

/** One record for each seed, row and metric; an empty cell keeps its reason. */
export function toCsv(results: readonly Result[]): string {
  const records = results.flatMap((result) =>
    result.rows.flatMap(({ axes, metrics, control }) =>
      Object.entries(metrics).map(([metric, { value, ci95, n, unit, direction, reason }]) => ({
        suite: result.suite.id,
        subject: result.subject.id,
        modality: result.subject.modality,
        site: result.site.name,
        dataset: result.dataset.id,
        task: result.task.id,
        task_version: result.task.version,
        method: result.method.name,
        kind: result.method.kind,
        control: result.method.control || control === true,
        d_sae: result.method.d_sae,
        axes: Object.entries(axes)
          .map(([axis, at]) => `${axis}=${at}`)
          .join(';'),
        seed: result.seed,
        limited: result.limited,
        metric,
        value,
        ci95_low: ci95?.[0],
        ci95_high: ci95?.[1],
        n,
        unit,
        direction,
        reason,
        backend: result.provenance.backend.name,
        key: result.key,
        method_identity: result.method.identity,
        method_options: canonicalJson(result.method.options),
        training_options: result.training && canonicalJson(result.training.options),
        task_options: canonicalJson(result.task.options),
        dataset_options: canonicalJson(result.dataset.options),
      })),
    ),
  );
  return stringify(records, { header: true, columns: [...COLUMNS], cast: { boolean: (value) => String(value) } });
}
