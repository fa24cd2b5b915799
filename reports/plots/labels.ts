/** @file Names of rows in plots: as short as tells them apart, broken into lines where they are long. */
import type { TableRow } from '../table.ts';

/** `name · value / value`: a row's method with the axes that differ between the ranked rows; the others say nothing here. */
export function rowLabels(rows: readonly TableRow[]): (row: TableRow) => string {
  const ranked = rows.filter(({ detail }) => !detail);
  const varies = (axis: string) => new Set(ranked.map(({ axes }) => axes[axis])).size > 1;
  return ({ method, axes }) => {
    const values = Object.keys(axes)
      .filter(varies)
      .map((axis) => axes[axis]);
    return [method.name, values.join(' / ')].filter(Boolean).join(' · ');
  };
}

/** Of a character, as a share of the font's size: that of wide fonts, since the reader's is not known. */
export const CHARACTER_WIDTH = 0.64;

/** The text in lines of at most `width` pixels, broken behind a space or punctuation, or where there is none anywhere. */
export function wrapped(text: string, width: number, fontSize: number): string {
  const most = Math.max(1, Math.floor(width / (fontSize * CHARACTER_WIDTH)));
  const lines: string[] = [];
  let rest = text;
  while (rest.length > most) {
    const head = rest.slice(0, most);
    const breaks = [...head.matchAll(/[\s,/_=·-]+/g)].map(({ index, 0: found }) => index + found.length);
    const at = breaks.findLast((each) => each >= most / 3) ?? most;
    lines.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest].join('\n');
}
