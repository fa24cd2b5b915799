/** @file Overviews → JSON, for programs. */
import type { Citation } from '../citation.ts';
import type { Overview, OverviewRow } from './overview.ts';
import { isFolded, type Place } from './places.ts';
import { readingOf } from './reading.ts';

/** All that tables say of a method beside its numbers: by task, in the words of the marks below them. */
const marksOf = ({ tables }: Place, name: string) =>
  tables.flatMap(({ task, marks }) =>
    marks
      .filter(({ method }) => method === name)
      .map(({ code, message, seeds }) => ({ task: task.id, code, message, seeds })),
  );

const failuresOf = ({ tables }: Place, name: string) =>
  tables.flatMap(({ task, rows }) => {
    const failures = rows.find(({ method, failures }) => failures && method.name === name)?.failures;
    return failures ? [{ task: task.id, seeds: failures }] : [];
  });

const rowOf = ({ place, columns }: Overview, band: string, { method, control, cells, meanRank }: OverviewRow) => {
  const failures = failuresOf(place, method.name);
  return {
    ...{ method: method.name, kind: method.kind, control, band },
    published: method.id === 'checkpoint',
    limited: place.tables.some((table) => table.limited.includes(method.name)),
    marks: marksOf(place, method.name),
    ...(failures.length > 0 ? { failures } : {}),
    meanRank: meanRank ?? null,
    metrics: columns.flatMap(({ table, metric }, i) => {
      const { cell, standing } = cells[i]!;
      if (!cell) return [];
      const { value, ci95, n, seeds, sd, few = false, direction, reason } = cell;
      return [
        {
          ...{ task: table.task.id, metric, value, ci95, n, seeds, sd, few, direction },
          ...(standing ? { standing } : {}),
          ...(reason === undefined ? {} : { reason }),
        },
      ];
    }),
  };
};

/** The overviews with their values, intervals, standings, marks and readings, and what to cite, as text. */
export function renderJson(overviews: readonly Overview[], citation: Citation, limited: boolean): string {
  const places = overviews.map((overview) => {
    const { place, bands, selections, withheld } = overview;
    return {
      subject: place.subject,
      site: place.site,
      ...(place.heading === undefined ? {} : { heading: place.heading }),
      aside: isFolded(place),
      reading: readingOf(place).map(({ lead, text }) => `${lead} ${text}`),
      selections,
      withheld,
      judging: place.tables.flatMap(({ task, judging }) => judging.map((each) => ({ task: task.id, ...each }))),
      unavailable: place.tables.flatMap(({ task, unavailable }) =>
        unavailable === undefined ? [] : [{ task: task.id, reason: unavailable }],
      ),
      rows: bands.flatMap(({ title, rows }) => rows.map((row) => rowOf(overview, title, row))),
    };
  });
  return `${JSON.stringify({ limited, citation, places }, null, 2)}\n`;
}
