/** @file What a report can be written as. */

/** Formats with the files that they are written to. */
export const FORMAT_FILES = {
  md: 'LEADERBOARD.md',
  csv: 'results.csv',
  'csv-wide': 'results-wide.csv',
  html: 'report.html',
  latex: 'tables.tex',
  json: 'overview.json',
} as const;

export type Format = keyof typeof FORMAT_FILES;

/** What is written unless others are asked for. */
export const USUAL_FORMATS: readonly Format[] = ['md', 'csv', 'html'];
