/** @file Overviews → what the template of the HTML report shows first. */
import { formatNumber } from '../format.ts';
import { kindText, meanRankText } from '../overview/markdown.ts';
import type { Overview, OverviewCell, OverviewRow } from '../overview/overview.ts';
import type { Place } from '../overview/places.ts';
import { readingOf } from '../overview/reading.ts';
import { ARROWS, cellView, definitionText, kindOf } from './table-view.ts';

const SAID = {
  first: 'The first of its column.',
  tied: 'Not told apart from the first.',
} as const;

function overviewCell({ cell, standing }: OverviewCell) {
  if (!cell) return { text: '–', hint: 'not computed for this method' };
  const { text: whole, hint, value } = cellView(cell);
  return {
    text: `${standing === 'tied' ? '≈ ' : ''}${formatNumber(cell.value)}`,
    hint: [standing ? SAID[standing] : '', cell.ci95 ? whole : '', hint].filter(Boolean).join(' · '),
    ...(value === undefined ? {} : { value }),
    best: standing === 'first',
  };
}

const rowView = ({ method, control, cells, meanRank, marks }: OverviewRow) => ({
  name: method.name,
  title: method.title,
  kind: method.kind,
  kindName: kindOf(method, control),
  cells: cells.map(overviewCell),
  meanRank: { text: meanRankText(meanRank), value: meanRank && String(meanRank.value) },
  marks: marks.join(', '),
});

/** The name of a place, and what it is. */
export const placeView = ({ heading, subject, site }: Place) => ({
  subject: subject.id,
  site: site.name,
  kind: [heading, kindText(subject)].filter(Boolean).join(', '),
});

export const overviewView = ({ place, columns, bands, selections, withheld }: Overview) => ({
  ...placeView(place),
  remarks: place.subject.remarks ?? [],
  reading: readingOf(place),
  columns: columns.map(({ table, metric, title, direction }) => ({
    title,
    arrow: ARROWS[direction],
    definition: definitionText(table, metric),
  })),
  bands: bands.map(({ title, rows }) => ({ title, rows: rows.map(rowView) })),
  selections: selections.join('; '),
  withheld,
  width: columns.length + 3,
});
