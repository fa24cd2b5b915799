/** @file Tables and plots → one self-contained HTML file: its styles and its script within it, nothing to download. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../harness/paths.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { citationLines, citationOf } from './citation.ts';
import { scriptJson } from './escape.ts';
import { embedderText, rowsText } from './format.ts';
import { matchedTable } from './fronts.ts';
import { groupBy } from './group-by.ts';
import { conceptTables } from './html/concepts.ts';
import { latentPlaces } from './html/latents.ts';
import { overviewView, placeView } from './html/overview-view.ts';
import { kindOf, tableView } from './html/table-view.ts';
import { meanRanks } from './overview/mean-rank.ts';
import { overviewOf } from './overview/overview.ts';
import { isFolded, isModel, type Place, placesOf, taskParts } from './overview/places.ts';
import { trainingPlots } from './plots/index.ts';
import { partPlots, resultsAt } from './plots/parts.ts';
import { subjectScalingPlot } from './plots/scaling.ts';
import { type Plot, renderSvg } from './plots/svg.ts';
import { createPalette, type Palette } from './plots/theme.ts';
import type { BesideSection } from './published/beside.ts';
import { subjectStudies } from './subject-scaling.ts';
import type { Table } from './table.ts';
import { renderTemplate } from './template.ts';

async function plotViews(plots: readonly Plot[], prefix: string) {
  const views = [];
  for (const [i, plot] of plots.entries()) {
    const { title, caption, legend } = plot;
    views.push({ title, caption, legend, svg: await renderSvg(plot, `${prefix}-${i}`) });
  }
  return views;
}

const anchorOf = (...parts: string[]): string => parts.join('-').replaceAll(/[^\w-]+/g, '-');

/** What the numbers were made with; one line for each distinct set-up. */
function setups(results: readonly Result[]): string[] {
  return [
    ...new Set(
      results.map(({ provenance: { saxbench, backend, node, cpu, git } }) => {
        const revision = git ? ` (${git.commit.slice(0, 10)}${git.dirty ? ', modified' : ''})` : '';
        return `saxbench ${saxbench}${revision}, backend ${backend.name} (${backend.detail}), ${backend.device || cpu}, Node ${node}`;
      }),
    ),
  ];
}

const KINDS = { text: 'language model', image: 'vision model', vectors: 'world of known features' } as const;

/** What was studied, in a few words. */
function subjectText({ modality, family, parameters }: Result['subject']): string {
  if (modality === 'vectors') return KINDS.vectors;
  return `${KINDS[modality]} of family ${family}${parameters ? `, ${parameters.toLocaleString('en')} parameters` : ''}`;
}

/** What all tables of a place are of. */
function factsOf({ subject, site, tables }: Place): string[] {
  const { dataset } = tables[0]!;
  const epochs = [...new Set(tables.flatMap((table) => table.epochs))];
  return [
    subjectText(subject),
    ...(subject.remarks ?? []),
    `d_in ${site.d_in}`,
    `dataset ${dataset.id}: ${rowsText(dataset, epochs)}${dataset.concepts ? `, ${dataset.concepts} concepts` : ''}`,
    dataset.policy,
    ...(dataset.notes ?? []),
  ];
}

/** A table with its plots, as the template shows it. */
async function partView(table: Table, place: Place, results: readonly Result[], palette: Palette) {
  const { plots, fronts, studies, refused } = partPlots(table, place, results, palette);
  const anchor = anchorOf(table.task.id, place.subject.id, place.site.name);
  return {
    ...placeView(place),
    anchor,
    facts: factsOf(place),
    axes: Object.entries(table.task.axes).map(([name, text]) => ({ name, text })),
    notes: embedderText(table.task),
    withheld: table.withheld,
    unavailable: table.unavailable,
    matched: fronts.flatMap((front) => matchedTable(front, table) ?? []),
    studies,
    refused,
    plots: await plotViews(plots, anchor),
    folded: isFolded(place),
    ...tableView(table),
  };
}

async function taskViews(places: readonly Place[], results: readonly Result[], palette: Palette) {
  const views = [];
  for (const { title, parts } of taskParts(places)) {
    const shown = [];
    for (const { table, place } of parts) {
      shown.push({ taskTitle: title, ...(await partView(table, place, results, palette)) });
    }
    views.push({ anchor: anchorOf('task', title), title, parts: shown });
  }
  return views;
}

async function trainingViews(places: readonly Place[], results: readonly Result[], palette: Palette) {
  const views = [];
  for (const place of places) {
    const anchor = anchorOf('training', place.subject.id, place.site.name);
    const plots = await plotViews(trainingPlots(resultsAt(place, results), palette), anchor);
    if (plots.length > 0) views.push({ ...placeView(place), plots });
  }
  return views;
}

/** All methods once, for the switches that show and hide them. */
function methodsOf(tables: readonly Table[]) {
  const rows = tables.flatMap((table) => table.rows).filter(({ control }) => control !== 'row');
  return groupBy(rows, ({ method }) => method.name).map(([row]) => ({
    name: row!.method.name,
    kindName: kindOf(row!.method, row!.control !== undefined),
  }));
}

const assetOf = (name: string) => readFile(join(packageRoot, 'reports', 'templates', name), 'utf8');

/** So that it can be mailed: of this the browser of latents has what tables, plots and concepts leave. */
const MOST_BYTES = 3_000_000;

/** The report's text. */
export async function renderHtml(
  tables: readonly Table[],
  results: readonly Result[],
  { beside = [], ...options }: { limited: boolean; title: string; beside?: readonly BesideSection[] },
): Promise<string> {
  const palette = createPalette(results.map(({ method }) => method));
  const places = placesOf([{ tables }]);
  const ranks = meanRanks(places);
  const overviews = places.map((place) => ({ ...overviewView(overviewOf(place, ranks)), folded: isFolded(place) }));
  const { studies, refused } = subjectStudies(results);
  const overSubjects = studies.length + refused.length > 0 && {
    studies,
    refused,
    plots: await plotViews(studies.map(subjectScalingPlot), 'over-subjects'),
  };
  const scripts = ['report.js', 'report-concepts.js', 'report-latents.js'];
  const script = (await Promise.all(scripts.map(assetOf))).join('');
  const concepts = conceptTables(places, results);
  const citation = citationOf(results);
  const shown = {
    ...options,
    style: await assetOf('report.css'),
    script,
    scriptHash: createHash('sha256').update(script).digest('base64'),
    setups: setups(results),
    citation: citationLines(citation),
    bibtex: citation.bibtex,
    methods: methodsOf(tables),
    models: [...new Set(places.filter(({ subject }) => isModel(subject)).map(({ subject }) => subject.id))].join(', '),
    overviews: overviews.filter(({ folded }) => !folded),
    foldedOverviews: overviews.filter(({ folded }) => folded),
    tasks: await taskViews(places, results, palette),
    training: await trainingViews(places, results, palette),
    overSubjects,
    concepts: concepts.tables.length > 0 && scriptJson(concepts.tables),
    conceptsCut: concepts.cut,
    beside: beside.map((section) => ({ anchor: anchorOf('beside', section.title), ...section })),
  };
  const page = await renderTemplate('report.html.hbs', shown);
  const latents = latentPlaces(places, results, MOST_BYTES - Buffer.byteLength(page));
  if (latents.places.length === 0) return page;
  return renderTemplate('report.html.hbs', {
    ...shown,
    latents: scriptJson(latents.places),
    latentsCut: latents.cut,
  });
}
