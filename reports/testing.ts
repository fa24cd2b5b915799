/** @file Results made up for the tests of the reports. */
import { sha256Json } from '../harness/io/hash.ts';
import type { Result, ResultMetric, ResultMetricDefinition } from '../harness/schema/result.generated.ts';

const HASH = 'a'.repeat(64);

/** A measurement with what is said of its metric, which results keep apart. */
type DefinedMetric = ResultMetric & ResultMetricDefinition;

type DefinedRow = Omit<Result['rows'][number], 'metrics'> & { metrics: Record<string, DefinedMetric> };

/** A measurement of a metric of which more is better. */
export const metric = (
  value: number | null,
  ci95: [number, number] | null,
  more: Partial<DefinedMetric> = {},
): DefinedMetric => ({
  value,
  ci95,
  n: value === null ? 0 : 10,
  unit: '',
  direction: 'max',
  range: [null, null],
  ...(value === null ? { reason: 'has no decoder' } : {}),
  ...more,
});

/** The measurement and the metric. */
function split({ unit, direction, range, main, version, ...measured }: DefinedMetric) {
  const definition = { unit, direction, range, ...(main ? { main } : {}), ...(version ? { version } : {}) };
  return { measured: measured as ResultMetric, definition: definition as ResultMetricDefinition };
}

function splitRows(rows: readonly DefinedRow[]) {
  const metrics: Result['task']['metrics'] = {};
  const measured = rows.map((row) => ({
    ...row,
    metrics: Object.fromEntries(
      Object.entries(row.metrics).map(([name, given]) => {
        const { measured, definition } = split(given);
        metrics[name] = definition;
        return [name, measured];
      }),
    ),
  }));
  return { rows: measured, metrics };
}

/** A valid result; the rows and any other field can be given. */
export function fakeResult(
  name: string,
  defined: readonly DefinedRow[],
  more: Partial<Result> & { kind?: 'sae' | 'baseline' } = {},
): Result {
  const { kind = 'sae', ...fields } = more;
  const { rows, metrics } = splitRows(defined);
  const task: Result['task'] = {
    id: 'concept-detection',
    title: 'Concept detection',
    version: 1,
    options: {},
    axes: {},
    shows: { curves: { roc: { title: 'ROC, averaged over concepts', caption: '', x: 'FPR', y: 'TPR' } } },
    ...fields.task,
    metrics,
  };
  return {
    schema: 3,
    key: HASH,
    suite: { id: 'toy', title: 'Toy suite' },
    subject: { id: 'toy-lm', fingerprint: HASH, family: 'llama', modality: 'text', parameters: 1000 },
    site: { name: 'blocks.0.hook_resid_post', d_in: 8, kind: 'tokens' },
    dataset: {
      id: 'toy-data',
      fingerprint: 'x',
      options: {},
      policy: 'special tokens left out',
      trainRows: 100,
      testRows: 50,
      concepts: 4,
    },
    method: {
      id: name,
      kind,
      name,
      title: `Method ${name}`,
      version: 1,
      control: false,
      options: {},
      optionsPassed: {},
      identity: sha256Json(name),
    },
    seed: 0,
    settings: { row: HASH, table: HASH },
    limited: false,
    rows,
    provenance: {
      saxbench: '0.1.0',
      node: 'v20.19.0',
      tfjs: '4.22.0',
      backend: { name: 'wasm', device: 'toy CPU', version: '4.22.0', detail: 'SIMD' },
      platform: 'linux x64',
      cpu: 'toy CPU',
      arguments: { passed: [], resolved: {} },
      steps: {},
      seconds: {},
    },
    ...fields,
    task,
  };
}
