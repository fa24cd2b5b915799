/** @file ECharts options → SVG text, on the server side, with no browser and no canvas. */
import { createRequire } from 'node:module';
import type * as ECharts from 'echarts';
import type { EChartsOption } from 'echarts';
import { htmlText } from '../escape.ts';
import type { Inks } from './ink.ts';

/** In pixels: two of them stand side by side in the page. */
export const PLOT_WIDTH = 552;

/** One line of a plot in its legend. */
export interface LegendEntry {
  label: string;
  method: string;
  colour: string;
  /** Lengths of strokes and gaps in turn; empty: solid. */
  dash: readonly number[];
}

export interface Plot {
  title: string;
  /** What it shows and how to read it, in a sentence. */
  caption: string;
  option: EChartsOption;
  /** Stands below the drawing as text of the page, which wraps: inside it, long names and many lines are cut off. */
  legend?: readonly LegendEntry[];
  /** Those that its strokes and points are drawn with. */
  inks?: Inks;
  height?: number;
}

/** In pixels. */
export const plotHeight = ({ height = 380 }: Plot): number => height;

/**
 * The plot as an `<svg>` element. `id` must be unique in the page: clip paths are found by it. The same plot and id give
 * the same text. ECharts is loaded on first use: reports without plots do not pay for it.
 */
export async function renderSvg(plot: Plot, id: string): Promise<string> {
  // As one file: as an ES module it is some hundreds of them, which take twice as long to find as to run.
  const echarts = createRequire(import.meta.url)('echarts') as typeof ECharts;
  const { option, title } = plot;
  const height = plotHeight(plot);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: PLOT_WIDTH, height });
  try {
    chart.setOption({ animation: false, ...option });
    const svg = chart.renderToSVGString();
    const plain = svg
      // Hover styles mean nothing without scripts, and their names count up over the life of the process.
      .replaceAll(/<style[\s\S]*?<\/style>/g, '')
      .replaceAll(/ class="zr[^"]*"/g, '')
      .replaceAll(/ ecmeta_\w+="[^"]*"| pointer-events="visible"/g, '')
      .replaceAll(/\bzr\d+-/g, `${id}-`)
      .replace('<svg ', `<svg role="img" aria-label="${htmlText(title)}" `);
    return plot.inks ? plot.inks.apply(plain) : plain;
  } finally {
    // An SSR chart keeps a timer: without this the process would not end.
    chart.dispose();
  }
}
