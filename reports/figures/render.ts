/** @file Figures → files: SVG, and PDF where a browser prints it. */
import { readdir } from 'node:fs/promises';
import type { FigureFormat } from '../formats.ts';
import { printPdfs, requireChromium } from './chromium.ts';
import type { Figure } from './figures.ts';
import { type SvgFile, svgFile } from './svg-file.ts';

/**
 * Figures in a folder beside those that were just written: older ones, or somebody's own, so that none is removed.
 *
 * @param formats Those that were written.
 */
export async function otherFigures(
  folder: string,
  written: ReadonlySet<string>,
  formats: readonly FigureFormat[],
): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => !written.has(name));
  return names.filter((name) => formats.some((format) => name.endsWith(`.${format}`))).sort();
}

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
