/** @file Overviews → what the template of LEADERBOARD.md shows first. */
import type { ResultSubject } from '../../harness/schema/result.generated.ts';
import { markdownCode, markdownText } from '../escape.ts';
import { formatInterval, formatNumber } from '../format.ts';
import type { TableRow } from '../table.ts';
import type { MeanRank } from './mean-rank.ts';
import type { Overview, OverviewCell, OverviewRow } from './overview.ts';
import type { Place } from './places.ts';
import { readingOf } from './reading.ts';

const MODALITIES: Record<ResultSubject['modality'], string> = {
  text: 'language model',
  image: 'vision model',
  vectors: 'world of known features',
};

const CONTROLS: Record<NonNullable<ResultSubject['control']>, string> = {
  'random-weights': 'with random weights: a control',
  planted: 'with planted directions: a control',
};

/** What a subject is, in a few words. */
export const kindText = ({ modality, control }: ResultSubject): string =>
  control === undefined ? MODALITIES[modality] : `${MODALITIES[modality]} ${CONTROLS[control]}`;

/** `smollm2-135m, blocks.10.hook_resid_post`, safe for Markdown. */
export const placeText = ({ subject, site }: Pick<Place, 'subject' | 'site'>): string =>
  `${markdownText(subject.id)}, ${markdownCode(site.name)}`;

const ARROWS = { max: ' ↑', min: ' ↓', none: '' } as const;

function cellText({ cell, standing }: OverviewCell): string {
  const text = formatNumber(cell?.value);
  if (standing === 'first') return `**${text}**`;
  return standing === 'tied' ? `≈ ${text}` : text;
}

/** `0.316 [0, 0.697]† (2)`. */
export const meanRankText = (rank: MeanRank | undefined): string =>
  rank === undefined ? '–' : `${formatInterval(rank.value, rank.ci95, rank)} (${rank.n})`;

/** SAEs in bold, baselines in italics. */
export function methodName({ name, kind }: Pick<TableRow['method'], 'name' | 'kind'>): string {
  const shown = markdownText(name);
  return kind === 'baseline' ? `*${shown}*` : `**${shown}**`;
}

const rowView = ({ method, cells, meanRank, marks }: OverviewRow) => ({
  method: methodName(method),
  cells: [...cells.map(cellText), meanRankText(meanRank), markdownText(marks.join(', '))],
});

/** An overview's part of the template's data; all texts are safe for Markdown. */
export function overviewView({ place, columns, bands, selections, withheld }: Overview) {
  return {
    place: placeText(place),
    kind: markdownText([place.heading, kindText(place.subject)].filter(Boolean).join(', ')),
    remarks: (place.subject.remarks ?? []).map(markdownText),
    reading: readingOf(place).map(({ lead, text }) => `**${markdownText(lead)}** ${markdownText(text)}`),
    columns: [
      ...columns.map(({ title, direction }) => `${markdownText(title)}${ARROWS[direction]}`),
      'mean rank ↓',
      'marks',
    ],
    bands: bands.map(({ title, rows }) => ({ title: markdownText(title), rows: rows.map(rowView) })),
    selections: selections.map(markdownText).join('; '),
    withheld: withheld.map(markdownText),
  };
}
