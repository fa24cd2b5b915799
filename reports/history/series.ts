/** @file The lines of a history as series: one number over the runs that made it under the same settings. */
import { groupBy } from '../group-by.ts';
import type { HistoryRow } from './file.ts';

/** A number over runs, oldest first. */
export interface Series {
  key: HistoryRow;
  points: HistoryRow[];
  /** The newest run has it. */
  current: boolean;
}

/** What tells series apart; of what a machine measures, the machine too. */
const seriesKey = (row: HistoryRow): string =>
  JSON.stringify([
    ...[row.suite, row.subject, row.site, row.task, row.method, row.axes, row.metric, row.settings],
    ...(row.measured ? [row.machine, row.backend] : []),
  ]);

/** All series of the runs of one suite. */
export function seriesOf(rows: readonly HistoryRow[]): Series[] {
  const last = rows.at(-1)?.run;
  return groupBy(rows, seriesKey).map((points) => ({
    key: points.at(-1)!,
    points,
    current: points.at(-1)!.run === last,
  }));
}

/** Of each place and metric that goes on under other settings: one line, since the two are not compared. */
export function breaksIn(series: readonly Series[]): string[] {
  const placeOf = ({ key }: Series) => JSON.stringify([key.subject, key.site, key.task, key.method]);
  return groupBy(series, placeOf).flatMap((own) => {
    const settings = new Set(own.filter(({ key }) => !key.measured).map(({ key }) => key.settings));
    if (settings.size < 2) return [];
    const { subject, site, task, method } = own[0]!.key;
    return [`${subject} ${site} ${task} ${method}: ${settings.size} settings, each a series of its own`];
  });
}
