/** @file Result files → LEADERBOARD.md, CSV, HTML, LaTeX and JSON. A pure function of the results: render again at any time. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { UserError, unknownName } from '../harness/errors.ts';
import { atomicWrite } from '../harness/io/atomic.ts';
import { readPlacedResult, resultFiles, withHeld } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { citationOf } from './citation.ts';
import { toCsv, toWideCsv } from './csv.ts';
import { definedOtherwise } from './definitions.ts';
import { requireChromium } from './figures/chromium.ts';
import { figuresOf } from './figures/figures.ts';
import { otherFigures, renderFigures } from './figures/render.ts';
import { FIGURE_FORMATS, type FigureFormat, FORMAT_FILES, type Format, USUAL_FORMATS } from './formats.ts';
import { renderHtml } from './html.ts';
import { renderLeaderboard } from './leaderboard.ts';
import { onlyResults } from './only.ts';
import { renderJson } from './overview/json.ts';
import { renderLatex } from './overview/latex.ts';
import { meanRanks } from './overview/mean-rank.ts';
import { overviewOf } from './overview/overview.ts';
import { placesOf } from './overview/places.ts';
import { besidePublished } from './published/beside.ts';
import { tellApart } from './settings.ts';

export { scoresOf } from './scores.ts';
export { summaryTable } from './summary.ts';

export interface ReportOptions {
  /** Also render results made with `--limit`, under a warning. Default false: they never enter a leaderboard. */
  includeLimited?: boolean;
  /** Show words of private items, which lie in the run's folder beside its results. */
  includeTexts?: boolean;
  title?: string;
  /** Where the results lie, for the reader of LEADERBOARD.md; a path relative to it. */
  source?: string;
}

/** The three texts of a report. */
export interface ReportTexts {
  leaderboard: string;
  csv: string;
  html: string;
}

/** Results that are read at a time: some systems allow few open files. */
const READ_AT_ONCE = 8;

/** The results of a folder, and why others in it cannot be believed. */
export interface LoadedResults {
  results: Result[];
  /** One line for each file that is left out: edited, damaged, of another format, a copy, of other metrics, or limited. */
  refused: string[];
}

/**
 * Reads all results below `<dir>/results`; what is edited or damaged is left out and said.
 *
 * @throws UserError when there are none, or only limited ones that were not asked for.
 */
export async function loadResults(dir: string, options: ReportOptions = {}): Promise<LoadedResults> {
  const atOnce = pLimit(READ_AT_ONCE);
  const read = await Promise.allSettled(
    (await resultFiles(dir)).map((file) =>
      atOnce(async () => {
        const result = await readPlacedResult(dir, file);
        return options.includeTexts ? withHeld(dir, file, result) : result;
      }),
    ),
  );
  if (read.length === 0) {
    throw new UserError(`report: no results below ${join(dir, 'results')}. Make some: saxbench run --out ${dir}.`);
  }
  const refused = read.flatMap((each) => (each.status === 'rejected' ? [messageOf(each.reason)] : []));
  const results = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (results.length === 0) {
    throw new UserError(
      `report: none of ${read.length} results below ${dir} can be reported; the first: ${refused[0]}`,
    );
  }
  const left = options.includeLimited ? [] : results.filter(({ limited }) => limited);
  const kept = options.includeLimited ? results : results.filter(({ limited }) => !limited);
  const otherwise = definedOtherwise(kept);
  if (kept.length > 0) {
    refused.push(...otherwise.values(), ...left.map(limitedReason));
    return { results: kept.filter((result) => !otherwise.has(result)), refused };
  }
  throw new UserError(
    `report: all ${results.length} results below ${dir} were made with --limit and compare nothing. ` +
      'Run without --limit, or add --include-limited.',
  );
}

/**
 * The results of several folders in one, each once: of those of one name and key, which have the same numbers, the first.
 *
 * @throws UserError as {@link loadResults} does, of any of them.
 */
export async function loadMerged(
  dirs: readonly string[],
  options: ReportOptions = {},
): Promise<LoadedResults & { copies: number }> {
  const [results, refused]: [Result[], string[]] = [[], []];
  const known = new Map<string, string>();
  let copies = 0;
  for (const dir of dirs) {
    const own = await loadResults(dir, options);
    refused.push(...own.refused);
    for (const result of own.results) {
      const { subject, site, method, task, seed, key } = result;
      const place = JSON.stringify([subject.id, site.name, method.name, task.id, seed, key]);
      const before = known.get(place) ?? dir;
      known.set(place, before);
      if (before === dir) results.push(result);
      else copies++;
    }
  }
  const otherwise = definedOtherwise(results);
  refused.push(...otherwise.values());
  return { results: results.filter((result) => !otherwise.has(result)), refused, copies };
}

const limitedReason = ({ subject, method, task, seed }: Result): string =>
  `result ${subject.id} ${method.name} ${task.id} seed ${seed}: was made with --limit, unlike others, and compares ` +
  'nothing. Remove it, or add --include-limited.';

/** @throws what is no fault of the file. */
function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}

/** Files of a report by their paths in its folder. */
type Files = Map<string, string | Buffer>;

const figureFormats = (formats: readonly string[]): FigureFormat[] =>
  FIGURE_FORMATS.filter((format) => formats.includes(format));

/** Renders results, in their order, to the files of the formats asked for. */
async function renderFormats(
  given: readonly Result[],
  formats: readonly Format[],
  options: ReportOptions,
): Promise<Files> {
  const results = tellApart(given);
  const tables = buildTables(results);
  const limited = results.some((result) => result.limited);
  const suites = [...new Set(results.map(({ suite }) => suite.title))].join(', ');
  const beside = besidePublished(results);
  const citation = citationOf(results);
  const overviews = () => {
    const places = placesOf([{ tables }]);
    const ranks = meanRanks(places);
    return places.map((place) => overviewOf(place, ranks));
  };
  const render: Record<Exclude<Format, FigureFormat>, () => string | Promise<string>> = {
    md: () => renderLeaderboard([{ tables }], { limited, source: options.source, beside, citation }),
    csv: () => toCsv(results, tables),
    'csv-wide': () => toWideCsv(tables),
    html: () => renderHtml(tables, results, { limited, title: options.title ?? `saxbench: ${suites}`, beside }),
    latex: () => renderLatex(overviews(), citation, limited),
    json: () => renderJson(overviews(), citation, limited),
  };
  const files: Files = new Map();
  for (const format of formats) {
    if (format !== 'svg' && format !== 'pdf') files.set(FORMAT_FILES[format], await render[format]());
  }
  const asked = figureFormats(formats);
  const figures = asked.length > 0 ? await renderFigures(figuresOf(tables, results), asked) : new Map();
  for (const [name, content] of figures) files.set(join(FORMAT_FILES.svg, name), content);
  return files;
}

/** Renders results, in their order, to the three texts that reports usually are. */
export async function renderTexts(given: readonly Result[], options: ReportOptions = {}): Promise<ReportTexts> {
  const texts = await renderFormats(given, USUAL_FORMATS, options);
  const textOf = (format: Format) => String(texts.get(FORMAT_FILES[format]));
  return { leaderboard: textOf('md'), csv: textOf('csv'), html: textOf('html') };
}

/**
 * Writes LEADERBOARD.md, results.csv and report.html, or what else is asked for, into `outDir`: their paths, the results that
 * are left out, the number of those there and of what is in several folders, and figures beside those that were written.
 *
 * @param dirs Where results lie; of several, all of them.
 * @throws UserError for a format or a name in `only` that there is not.
 */
export async function renderReports(
  dirs: string | readonly string[],
  outDir: string,
  {
    formats = USUAL_FORMATS,
    only = [],
    ...options
  }: ReportOptions & { formats?: readonly string[]; only?: readonly string[] } = {},
): Promise<{ files: string[]; refused: string[]; results: number; copies: number; otherFigures?: string[] }> {
  const unknown = formats.find((format) => !Object.hasOwn(FORMAT_FILES, format));
  if (unknown !== undefined) throw unknownName('format', unknown, Object.keys(FORMAT_FILES));
  if (formats.includes('pdf')) requireChromium();
  const { results, refused, copies } = await loadMerged(typeof dirs === 'string' ? [dirs] : dirs, options);
  const files: string[] = [];
  const rendered = await renderFormats(onlyResults(results, only), formats as Format[], options);
  for (const [path, content] of rendered) {
    const file = join(outDir, path);
    await mkdir(dirname(file), { recursive: true });
    await atomicWrite(file, (handle) => handle.writeFile(content));
    files.push(file);
  }
  const written = new Set(files.map((file) => basename(file)));
  const others = await otherFigures(join(outDir, FORMAT_FILES.svg), written, figureFormats(formats));
  const counts = { results: results.length, copies };
  return { files, refused, ...counts, ...(others.length > 0 ? { otherFigures: others } : {}) };
}
