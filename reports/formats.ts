/** @file What a report can be written as. */

/** Formats with the files that they are written to; those of figures with their folder. */
export const FORMAT_FILES = {
  md: 'LEADERBOARD.md',
  csv: 'results.csv',
  'csv-wide': 'results-wide.csv',
  html: 'report.html',
  latex: 'tables.tex',
  json: 'overview.json',
  svg: 'figures',
  pdf: 'figures',
} as const;

export type Format = keyof typeof FORMAT_FILES;

/** What is written unless others are asked for. */
export const USUAL_FORMATS: readonly Format[] = ['md', 'csv', 'html'];

/** Those that write a file for each plot. */
export const FIGURE_FORMATS = ['svg', 'pdf'] as const satisfies readonly Format[];
export type FigureFormat = (typeof FIGURE_FORMATS)[number];
