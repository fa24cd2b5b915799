/** @file What a run scored, for programs: one flat record a row that is ranked and metric, over its seeds. */
import { sha256Json } from '../harness/io/hash.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { leaderboardColumns } from './columns.ts';
import { withoutPlaces } from './kept.ts';
import { tellApart } from './settings.ts';
import type { TableRow } from './table.ts';

/** One number with where it stands. */
export interface Score {
  subject: string;
  site: string;
  task: string;
  method: string;
  axes: Record<string, string>;
  metric: string;
  /** The metric that the task ranks by. */
  main: boolean;
  control: boolean;
  unit: string;
  direction: 'max' | 'min' | 'none';
  /** A time or the like: another machine gives another. */
  measured: boolean;
  value: number | null;
  ci95: [low: number, high: number] | null;
  /** Standard deviation over seeds; null with fewer than two. */
  sd: number | null;
  seeds: number;
  n: number;
  /** Why there is no value. */
  reason?: string;
  /** Digest of all that a person sets: scores of two digests are not of one series. */
  settings: string;
}

const DIGEST_DIGITS = 16;

/** Of the conditions and options, without the version of the method: its code is what a series follows. */
function settingsDigest({ run: { version: _, ...run }, method }: TableRow): string {
  return sha256Json(withoutPlaces({ run, identity: method.identity })).slice(0, DIGEST_DIGITS);
}

/** The scores of a run: of each method's ranked row, the metrics that its table shows; empty ones of main metrics alone. */
export function scoresOf(results: readonly Result[]): Score[] {
  return buildTables(tellApart(results)).flatMap((table) => {
    const { subject, site, task, main, rows } = table;
    return rows
      .filter(({ detail }) => !detail)
      .flatMap((row) =>
        leaderboardColumns(table).flatMap((metric): Score[] => {
          const cell = row.cells[metric];
          if (!cell || (cell.value === null && metric !== main)) return [];
          const { unit, direction, value, ci95, sd, seeds, n, reason } = cell;
          return [
            {
              ...{ subject: subject.id, site: site.name, task: task.id, method: row.method.name, axes: row.axes },
              ...{ metric, main: metric === main, control: row.control !== undefined },
              ...{ unit, direction, measured: task.metrics[metric]?.measured === true },
              ...{ value, ci95, sd, seeds, n, ...(reason === undefined ? {} : { reason }) },
              settings: settingsDigest(row),
            },
          ];
        }),
      );
  });
}
