/** @file A plot → an SVG file of its own, for papers: legend within it, and fonts that LaTeX and Inkscape know. */
import { htmlText } from '../escape.ts';
import { CHARACTER_WIDTH, wrapped } from '../plots/labels.ts';
import { type LegendEntry, PLOT_WIDTH, type Plot, plotHeight, renderSvg } from '../plots/svg.ts';
import { TEXT_STYLE } from '../plots/theme.ts';

/** What programs have, or have a companion of the same widths for; `system-ui` is known to browsers alone. */
const FONTS = 'Helvetica, Arial, Liberation Sans, sans-serif';
const LINE_HEIGHT = 15;
/** Left and right of the legend. */
const MARGIN = 16;
/** Of the stroke before a label, and of the space behind it. */
const STROKE = 28;
const GAP = 6;

interface Entry extends LegendEntry {
  lines: string[];
  width: number;
}

/** Entries in rows, as many in each as there is room for. */
function rowsOf(legend: readonly LegendEntry[]): Entry[][] {
  const room = PLOT_WIDTH - 2 * MARGIN;
  const size = TEXT_STYLE.fontSize;
  const rows: Entry[][] = [];
  let left = 0;
  for (const entry of legend) {
    const lines = wrapped(entry.label, room - STROKE - GAP, size).split('\n');
    const longest = Math.max(...lines.map((line) => line.length));
    const width = STROKE + GAP + Math.ceil(longest * size * CHARACTER_WIDTH);
    if (rows.length === 0 || width > left) {
      rows.push([]);
      left = room;
    }
    rows.at(-1)!.push({ ...entry, lines, width });
    left -= width + MARGIN;
  }
  return rows;
}

/** The legend below a drawing of some height: its elements, and how high it is. */
function legendBelow(legend: readonly LegendEntry[], top: number): { text: string; height: number } {
  const parts: string[] = [];
  let y = top + LINE_HEIGHT / 2;
  for (const row of rowsOf(legend)) {
    let x = MARGIN;
    for (const { colour, dash, lines, width } of row) {
      const dashes = dash.length > 0 ? ` stroke-dasharray="${dash.join(',')}"` : '';
      parts.push(`<path d="M${x} ${y}h${STROKE}" fill="none" stroke="${colour}" stroke-width="1.6"${dashes}/>`);
      for (const [i, line] of lines.entries()) {
        const style = `font-size:${TEXT_STYLE.fontSize}px;font-family:${FONTS};`;
        const at = `x="${x + STROKE + GAP}" y="${y + i * LINE_HEIGHT}" dy="0.35em"`;
        parts.push(`<text ${at} style="${style}" fill="${TEXT_STYLE.color}">${htmlText(line)}</text>`);
      }
      x += width + MARGIN;
    }
    y += LINE_HEIGHT * Math.max(...row.map(({ lines }) => lines.length));
  }
  return { text: parts.join(''), height: y - top };
}

export interface SvgFile {
  text: string;
  /** In pixels of CSS: 96 an inch. */
  width: number;
  height: number;
}

/** The plot as a file; the same plot gives the same text. Title and caption are in it for programs that read them out. */
export async function svgFile(plot: Plot): Promise<SvgFile> {
  const drawn = await renderSvg(plot, 'figure');
  const top = plotHeight(plot);
  const legend = legendBelow(plot.legend ?? [], top);
  const height = Math.ceil(top + legend.height);
  const inner = drawn
    .slice(drawn.indexOf('>') + 1, drawn.lastIndexOf('</svg>'))
    .replaceAll(`font-family:${TEXT_STYLE.fontFamily}`, `font-family:${FONTS}`)
    // Inkscape and librsvg before 2.52 know no baseline but the alphabetic one.
    .replaceAll(' dominant-baseline="central"', ' dy="0.35em"')
    // For the page's switches, and no attribute of SVG.
    .replaceAll(/ data-m="[^"]*"/g, '');
  const size = `width="${PLOT_WIDTH}" height="${height}" viewBox="0 0 ${PLOT_WIDTH} ${height}"`;
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" version="1.1" ${size} role="img">`,
    `<title>${htmlText(plot.title)}</title>`,
    `<desc>${htmlText(plot.caption)}</desc>`,
    `${inner}${legend.text}`,
    '</svg>',
    '',
  ].join('\n');
  return { text, width: PLOT_WIDTH, height };
}
