/** @file Overviews → JSON, for programs. */

import type { Overview } from './overview.ts';
import { isFolded } from './places.ts';
import { readingOf } from './reading.ts';

/** The overviews with their values, intervals, standings and readings, as text. */
export function renderJson(overviews: readonly Overview[]): string {
  const plain = overviews.map(({ place, columns, bands, selections, withheld }) => ({
    subject: place.subject,
    site: place.site,
    ...(place.heading === undefined ? {} : { heading: place.heading }),
    aside: isFolded(place),
    reading: readingOf(place).map(({ lead, text }) => `${lead} ${text}`),
    selections,
    withheld,
    rows: bands.flatMap(({ title, rows }) =>
      rows.map(({ method, control, cells, meanRank, marks }) => ({
        ...{ method: method.name, kind: method.kind, control, band: title, marks },
        meanRank: meanRank ?? null,
        metrics: columns.flatMap(({ table, metric }, i) => {
          const { cell, standing } = cells[i]!;
          if (!cell) return [];
          const { value, ci95, n, direction } = cell;
          return [{ task: table.task.id, metric, value, ci95, n, direction, ...(standing ? { standing } : {}) }];
        }),
      })),
    ),
  }));
  return `${JSON.stringify(plain, null, 2)}\n`;
}
