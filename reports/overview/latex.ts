/** @file Overviews → LaTeX: a table of booktabs a place, and what to cite. */
import { type Citation, citationLines } from '../citation.ts';
import { latexText } from '../escape.ts';
import { formatNumber } from '../format.ts';
import { MARK } from '../marks.ts';
import type { Cell } from '../table.ts';
import { kindText } from './markdown.ts';
import type { Overview, OverviewCell, OverviewRow } from './overview.ts';

const ARROWS = { max: ' $\\uparrow$', min: ' $\\downarrow$', none: '' } as const;

/** Numbers in text: a hyphen is no minus, and a missing value is a dash. */
const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '--' : `$${formatNumber(value).replace(/e([+-]\d+)$/, '\\mathrm{e}{$1}')}$`;

function withInterval({ value, ci95 }: Pick<Cell, 'value' | 'ci95'>, standing?: OverviewCell['standing']): string {
  const shown = standing === 'first' ? `\\textbf{\\boldmath ${number(value)}}` : number(value);
  const tied = standing === 'tied' ? '$^{\\approx}$' : '';
  return `${shown}${tied}${ci95 ? ` {\\scriptsize [${number(ci95[0])}, ${number(ci95[1])}]}` : ''}`;
}

function rowText({ method, control, cells, meanRank }: OverviewRow): string {
  const name = latexText(method.name);
  const shown = method.kind === 'baseline' ? `\\emph{${name}}` : name;
  const values = cells.map(({ cell, standing }) => (cell ? withInterval(cell, standing) : '--'));
  const rank = meanRank ? `${withInterval(meanRank)} (${meanRank.n})` : '--';
  return `${[`${shown}${control ? ' (control)' : ''}`, ...values, rank].join(' & ')} \\\\`;
}

/** What a reader must know of a method: `relu: dead latents.` Controls say so at their names. */
function warned({ method, marks }: OverviewRow): string[] {
  const told = marks.filter((mark) => mark !== 'control').map((mark) => mark.replace(`${MARK} `, ''));
  return told.length > 0 ? [`${method.name}: ${told.join(', ')}.`] : [];
}

/** One table. */
function tableText({ place, columns, bands, selections, withheld }: Overview): string {
  const heads = columns.map(({ title, direction }) => `${latexText(title)}${ARROWS[direction]}`);
  const width = columns.length + 2;
  const { subject, site } = place;
  const caption = [
    `${subject.id} (${kindText(subject)}), ${site.name}.`,
    'Bold: the first of its column and band; ≈: not told apart from it (paired t test, Holm).',
    'Mean rank over models from 0 (first) to 1 (last), their number in parentheses.',
    ...(selections.length > 0 ? [`Rows shown: ${selections.join('; ')}.`] : []),
    ...withheld,
    ...bands.flatMap(({ rows }) => rows.flatMap(warned)),
  ].join(' ');
  const body = bands.map(({ title, rows }) =>
    [
      '\\midrule',
      ...(title === '' ? [] : [`\\multicolumn{${width}}{l}{\\emph{${latexText(title)}}} \\\\`]),
      ...rows.map(rowText),
    ].join('\n'),
  );
  return [
    '\\begin{table}',
    `\\caption{${latexText(caption)}}`,
    `\\begin{tabular}{l${'r'.repeat(width - 1)}}`,
    '\\toprule',
    `${['method', ...heads, 'mean rank $\\downarrow$'].join(' & ')} \\\\`,
    ...body,
    '\\bottomrule',
    '\\end{tabular}',
    '\\end{table}',
  ].join('\n');
}

/** One line of a comment, whatever is in it. */
const comment = (text: string): string => `% ${text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')}`;

/** Tables for `\input` into a paper; all names and texts of results are escaped. */
export function renderLatex(overviews: readonly Overview[], citation: Citation, limited: boolean): string {
  return `${[
    '% Rendered by saxbench report. Needs \\usepackage{booktabs}. Made with:',
    ...citationLines(citation).map(comment),
    '% To cite:',
    ...citation.bibtex.split('\n').map(comment),
    ...(limited ? ['% LIMITED RUN (--limit): these numbers compare nothing. Do not quote them.'] : []),
    ...overviews.map((overview) => `\n${tableText(overview)}`),
  ].join('\n')}\n`;
}
