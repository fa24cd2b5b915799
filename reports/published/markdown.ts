/** @file Published tables with our rows, as the leaderboard shows them. */
import { markdownText } from '../escape.ts';
import type { BesideSection } from './beside.ts';

/** A section with its texts escaped. */
export const besideView = ({ title, source, notes, published, tables }: BesideSection) => ({
  title: markdownText(title),
  source: markdownText(source),
  notes: notes.map(markdownText),
  tables: tables.map(({ title: name, columns, warnings, rows }) => ({
    title: markdownText(name),
    columns: columns.map(markdownText),
    published: published.map((column) => markdownText(`published: ${column}`)),
    warnings: warnings.map(markdownText),
    rows: rows.map((row) => ({ ...row, name: markdownText(row.name), ours: markdownText(row.ours) })),
  })),
});
