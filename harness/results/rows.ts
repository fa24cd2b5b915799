/** @file The rows of a result: what a task may hand in, and what a reader may believe. */
import type { MetricDefinition, TaskOutcome } from '../contract/task.ts';
import { ContractError, shown } from '../errors.ts';
import { emptyCell } from '../kit/cells.ts';
import type { ResultMetricDefinition } from '../schema/metric-definition.generated.ts';
import type { Result, ResultMetric, ResultRowRecord } from '../schema/result.generated.ts';

/** Relative overshoot of a range that rounding explains: 1 + 1e-9 is an AUROC of 1. */
const ROUNDING = 1e-6;
/** Digits of a unit's value: far more than its error, and half of a result's size. */
const SAMPLE_DIGITS = 7;
/** Relative difference of the mean of the units and the metric that the rounding of units explains. */
const SAMPLE_ROUNDING = 1e-5;

/**
 * A task's rows, with empty cells for what was not measured. Refuses what would mislead: metrics that the task does not
 * declare, numbers that are not finite, outside their range or interval, or missing without a reason.
 *
 * @param where Starts the message, e.g. `task steering`.
 * @throws ContractError naming row, metric, expected and found.
 */
export function checkedRows(
  outcome: TaskOutcome,
  metrics: Record<string, MetricDefinition>,
  where: string,
): ResultRowRecord[] {
  return outcome.rows.map(({ axes, metrics: values, unavailable = {}, control, samples }, i) => {
    const at = `${where}: row ${i} (${shown(axes)})`;
    const undeclared = Object.keys({ ...values, ...unavailable }).find((name) => !Object.hasOwn(metrics, name));
    if (undeclared !== undefined) {
      const declared = Object.keys(metrics).join(', ');
      throw new ContractError(`${at}: metric '${undeclared}': not declared; the task declares ${declared}`);
    }
    const cells = Object.keys(metrics).map((name) => {
      const reason = unavailable[name];
      const given = values[name] ?? (reason === undefined ? undefined : emptyCell(reason));
      if (given) return [name, given];
      throw new ContractError(`${at}: metric '${name}': expected a value, or a reason in 'unavailable'; found neither`);
    });
    const round = (list: number[]) => list.map((value) => Number(value.toPrecision(SAMPLE_DIGITS)));
    const { values: byUnit, shared, sharedBy, ci95 } = samples ?? {};
    const row: ResultRowRecord = {
      axes,
      metrics: Object.fromEntries(cells),
      ...(control ? { control } : {}),
      ...(samples && byUnit
        ? {
            samples: {
              ...samples,
              values: round(byUnit),
              ...(ci95 ? { ci95: ci95.map((each) => each && (round(each) as [number, number])) } : {}),
              ...(shared ? { shared: round(shared) } : {}),
              ...(sharedBy ? { sharedBy: sharedBy.map(round) } : {}),
            },
          }
        : {}),
    };
    const complaint = rowComplaint(row, i, metrics);
    if (complaint !== undefined) throw new ContractError(`${where}: ${complaint}`);
    return row;
  });
}

/** What results keep of the metrics that a task declares. */
export const definitionsOf = (metrics: Record<string, MetricDefinition>): Record<string, ResultMetricDefinition> =>
  Object.fromEntries(
    Object.entries(metrics).map(([name, { description, unit, direction, range, main, version, counted, measured }]) => [
      name,
      {
        ...{ description, unit, direction, range },
        ...(main ? { main } : {}),
        ...(version === undefined ? {} : { version }),
        ...(counted ? { counted } : {}),
        ...(measured ? { measured } : {}),
      },
    ]),
  );

/** Rows without what a machine measures, times and the like: that is never the same again. */
export const countedRows = ({ rows, task }: Pick<Result, 'rows' | 'task'>): ResultRowRecord[] =>
  rows.map((row) => ({
    ...row,
    metrics: Object.fromEntries(Object.entries(row.metrics).filter(([name]) => !task.metrics[name]?.measured)),
  }));

type Definitions = Readonly<Record<string, Pick<ResultMetricDefinition, 'range' | 'main'>>>;

/** The metric that ranks methods; undefined for a task without one. */
export const mainMetric = (definitions: Definitions): string | undefined =>
  Object.keys(definitions).find((name) => definitions[name]!.main);

/** What is wrong with a row, naming it and the metric; undefined for a row that can be believed. */
export function rowComplaint(row: ResultRowRecord, place: number, definitions: Definitions): string | undefined {
  const at = `row ${place} (${shown(row.axes)})`;
  for (const [name, metric] of Object.entries(row.metrics)) {
    // A name such as 'constructor' is found in every object.
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (!definition)
      return `${at}: metric '${name}': not declared; the task declares ${Object.keys(definitions).join(', ')}`;
    const complaint = metricComplaint(metric, definition.range);
    if (complaint !== undefined) return `${at}: metric '${name}': ${complaint}`;
  }
  const main = mainMetric(definitions);
  const complaint = samplesComplaint(row, main === undefined ? null : (row.metrics[main]?.value ?? null));
  return complaint === undefined ? undefined : `${at}: samples: ${complaint}`;
}

function metricComplaint(
  { value, ci95, n, units, reason }: ResultMetric,
  [low, high]: ResultMetricDefinition['range'],
): string | undefined {
  if (!Number.isInteger(n) || n < 0) return `n: expected a count; found ${n}`;
  if (value === null) {
    if (!reason) return 'an empty cell needs a reason';
    return ci95 ? `an empty cell has no interval; found ${shown(ci95)}` : undefined;
  }
  const size = Math.max(1, Math.abs(low ?? 0), Math.abs(high ?? 0), Math.abs(value));
  const slack = ROUNDING * size;
  for (const number of [value, ...(ci95 ?? [])]) {
    if (!Number.isFinite(number)) return `expected a finite number; found ${number}`;
    if ((low !== null && number < low - slack) || (high !== null && number > high + slack)) {
      return `expected a value in [${low ?? '−∞'}, ${high ?? '∞'}]; found ${number}`;
    }
  }
  if (n === 0) return `n: expected what the value ${value} is averaged over; found 0`;
  if (!ci95) return undefined;
  if (ci95[0] > ci95[1]) return `expected an interval from low to high; found ${shown(ci95)}`;
  if (value < ci95[0] - slack || value > ci95[1] + slack) {
    return `expected a value within its interval ${shown(ci95)}; found ${value}`;
  }
  if ((units ?? n) < 2) return `an interval needs two units; found ${units ?? n}`;
  return undefined;
}

function samplesComplaint({ samples }: ResultRowRecord, main: number | null): string | undefined {
  if (!samples) return undefined;
  const { ids, values, shared = [], sharedBy = [], ci95, apart } = samples;
  if ((ci95 ?? values).length !== values.length || (apart ?? values).length !== values.length) {
    return `expected ci95 and apart for each of ${values.length} values`;
  }
  const bounds = (ci95 ?? []).flatMap((each) => each ?? []);
  const wrong = [...values, ...bounds, ...shared, ...sharedBy.flat()].find((value) => !Number.isFinite(value));
  if (wrong !== undefined) return `expected finite numbers; found ${wrong}`;
  if (ids && (ids.length !== values.length || new Set(ids).size !== ids.length)) {
    return `expected one name of its own for each of ${values.length} values`;
  }
  if (samples.sharedBy) {
    const blocks = sharedBy[0]?.length ?? 0;
    if (sharedBy.length !== values.length || sharedBy.some((each) => each.length !== blocks)) {
      return `sharedBy: expected ${blocks} blocks for each of ${values.length} values`;
    }
  }
  if (main === null || values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const size = Math.max(1, ...values.map(Math.abs));
  if (Math.abs(mean - main) <= SAMPLE_ROUNDING * size) return undefined;
  return `expected values whose mean is the main metric, ${main}; found ${mean}`;
}
