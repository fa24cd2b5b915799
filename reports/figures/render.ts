/** @file Figures → files: SVG, and PDF where a browser prints it. */
import type { FigureFormat } from '../formats.ts';
import { printPdfs, requireChromium } from './chromium.ts';
import type { Figure } from './figures.ts';
import { type SvgFile, svgFile } from './svg-file.ts';

/** The files by name. @throws UserError for PDF where no browser is, or it prints none. */
export async function renderFigures(
  figures: readonly Figure[],
  formats: readonly FigureFormat[],
): Promise<Map<string, string | Buffer>> {
  const drawn: SvgFile[] = [];
  for (const { plot } of figures) drawn.push(await svgFile(plot));
  const files = new Map<string, string | Buffer>();
  if (formats.includes('svg')) {
    for (const [i, { name }] of figures.entries()) files.set(`${name}.svg`, drawn[i]!.text);
  }
  if (formats.includes('pdf') && figures.length > 0) {
    const printed = await printPdfs(requireChromium(), drawn);
    for (const [i, { name }] of figures.entries()) files.set(`${name}.pdf`, printed[i]!);
  }
  return files;
}
