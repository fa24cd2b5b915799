/** @file ECharts options → SVG text, on the server side, with no browser and no canvas. */
import { createRequire } from 'node:module';
import type * as ECharts from 'echarts';
import type { EChartsOption } from 'echarts';

export interface Plot {
  title: string;
  /** What it shows and how to read it, in a sentence. */
  caption: string;
  option: EChartsOption;
  width?: number;
  height?: number;
}

/**
 * The plot as an `<svg>` element. `id` must be unique in the page: clip paths are found by it. The same plot and id give
 * the same text. ECharts is loaded on first use: reports without plots do not pay for it.
 */
export async function renderSvg(plot: Plot, id: string): Promise<string> {
  // As one file: as an ES module it is some hundreds of them, which take twice as long to find as to run.
  const echarts = createRequire(import.meta.url)('echarts') as typeof ECharts;
  const { width = 640, height = 400, option, title } = plot;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    const svg = chart.renderToSVGString();
    const label = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    return (
      svg
        // Hover styles mean nothing without scripts, and their names count up over the life of the process.
        .replaceAll(/<style[\s\S]*?<\/style>/g, '')
        .replaceAll(/ class="zr[^"]*"/g, '')
        .replaceAll(/\bzr\d+-/g, `${id}-`)
        .replace('<svg ', `<svg role="img" aria-label="${label}" `)
    );
  } finally {
    // An SSR chart keeps a timer: without this the process would not end.
    chart.dispose();
  }
}
