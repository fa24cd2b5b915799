/** @file Tables and plots → one self-contained HTML file: no scripts, no fonts, nothing to download. */
import type { Result } from '../harness/schema/result.generated.ts';
import { tableColumns } from './columns.ts';
import { axesLabel, embedderText, formatInterval, formatNumber, metricTitle, rowsText } from './format.ts';
import { frontsOf, matchedTable } from './fronts.ts';
import { byPlace } from './group-by.ts';
import { judgingLine } from './judging.ts';
import { rowGroups } from './leaderboard.ts';
import { markedName, markLine } from './marks.ts';
import { frontPlot } from './plots/fronts.ts';
import { tablePlots, trainingPlots } from './plots/index.ts';
import { scalingPlot, subjectScalingPlot } from './plots/scaling.ts';
import { type Plot, renderSvg } from './plots/svg.ts';
import { createPalette } from './plots/theme.ts';
import type { BesideSection } from './published/beside.ts';
import { bandTitle, powerText, rankLabel } from './ranks.ts';
import { scalingStudies } from './scaling.ts';
import { subjectStudies } from './subject-scaling.ts';
import type { Table, TableRow } from './table.ts';
import { renderTemplate } from './template.ts';
import { taskTitle } from './withheld.ts';

const ARROWS = { max: '↑', min: '↓', none: '' };

async function plotViews(plots: readonly Plot[], prefix: string) {
  const views = [];
  for (const [i, plot] of plots.entries()) {
    const { title, caption, legend } = plot;
    views.push({ title, caption, legend, svg: await renderSvg(plot, `${prefix}-${i}`) });
  }
  return views;
}

const anchorOf = (place: string, part: string): string => `${place}-${part}`.replaceAll(/[^\w-]+/g, '-');

/** How a row compares with the first, for the pointer over its rank. */
function standingText({ rank, standing, p, detectable, blind }: TableRow): string {
  if (standing === 'alone') return 'alone in its band';
  if (rank === null) return 'not ranked';
  if (standing === undefined) return 'the first';
  if (standing === 'untested') return 'no units or seeds in common with the first to test on';
  const power =
    detectable === undefined
      ? ''
      : blind
        ? `; nothing can be told: only a difference of ${formatNumber(detectable)}, larger than the scale has room for, would be found`
        : `; a difference of ${formatNumber(detectable)} would be found (power 80 %)`;
  if (p === undefined)
    return standing === 'tied' ? 'equal to the first' : 'worse than the first: counted, not measured';
  return `${standing === 'tied' ? 'not told apart from' : 'worse than'} the first: corrected p = ${formatNumber(p)}${power}`;
}

function tableView(table: Table) {
  const columns = tableColumns(table);
  const firstCell = (name: string) => table.rows.find(({ cells }) => cells[name])?.cells[name];
  const rowView = (row: TableRow) => ({
    failed: row.failures && `failed: ${row.failures.join('; ')}`,
    rank: rankLabel(row),
    standing: standingText(row),
    method: markedName(row.method.name, row.method.name, table.marks),
    title: row.method.title,
    kind: row.method.kind,
    control: row.control !== undefined,
    axes: axesLabel(row.axes),
    cells: columns.map((name) => {
      const cell = row.cells[name];
      if (!cell) return { text: '–', hint: 'not computed for this row' };
      const spread = cell.sd === null ? '' : `; sd over ${cell.seeds} seeds ${formatNumber(cell.sd)}`;
      return { text: formatInterval(cell.value, cell.ci95, cell), hint: cell.reason ?? `n = ${cell.n}${spread}` };
    }),
  });
  const { bands, details } = rowGroups(table.rows);
  return {
    columns: columns.map((name) => ({
      title: metricTitle(name),
      arrow: ARROWS[firstCell(name)?.direction ?? 'none'],
      unit: firstCell(name)?.unit,
    })),
    bands: bands.map((band) => ({
      title: bandTitle(band),
      rows: band.rows.map(rowView),
      power: powerText(band.rows)?.replaceAll('`', ''),
    })),
    details: details.map(rowView),
    marks: [
      ...table.marks.map((mark) => markLine(mark, table.seeds)),
      ...table.judging.flatMap((each) => judgingLine(each) ?? []),
    ],
    width: columns.length + 2,
  };
}

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

/** The report's text. */
export async function renderHtml(
  tables: readonly Table[],
  results: readonly Result[],
  options: { limited: boolean; title: string; beside?: readonly BesideSection[] },
): Promise<string> {
  const palette = createPalette(results.map(({ method }) => method));
  const sections = [];
  for (const own of byPlace(tables)) {
    const { subject, site, dataset } = own[0]!;
    const place = `${subject.id} · ${site.name}`;
    const atPlace = results.filter((result) => result.subject.id === subject.id && result.site.name === site.name);
    const tasks = [];
    for (const table of own) {
      const ofTask = atPlace.filter(({ task }) => task.id === table.task.id);
      const fronts = frontsOf(table, own);
      const { studies, refused } = scalingStudies(ofTask);
      const plots = [
        ...tablePlots(table, own, fronts, ofTask, palette),
        ...fronts.map(frontPlot),
        ...studies.map(scalingPlot),
      ];
      tasks.push({
        anchor: anchorOf(place, table.task.id),
        title: taskTitle(table),
        axes: Object.entries(table.task.axes).map(([name, text]) => ({ name, text })),
        notes: embedderText(table.task),
        withheld: table.withheld,
        unavailable: table.unavailable,
        matched: fronts.flatMap((front) => matchedTable(front, table) ?? []),
        studies,
        refused,
        plots: await plotViews(plots, anchorOf(place, table.task.id)),
        ...tableView(table),
      });
    }
    sections.push({
      subject: subject.id,
      site: site.name,
      facts: [
        subjectText(subject),
        ...(subject.remarks ?? []),
        `d_in ${site.d_in}`,
        `dataset ${dataset.id}: ${rowsText(dataset, [...new Set(own.flatMap(({ epochs }) => epochs))])}${dataset.concepts ? `, ${dataset.concepts} concepts` : ''}`,
        dataset.policy,
        ...(dataset.notes ?? []),
      ],
      tasks,
      training: await plotViews(trainingPlots(atPlace, palette), anchorOf(place, 'training')),
    });
  }
  const { studies, refused } = subjectStudies(results);
  const overSubjects = studies.length + refused.length > 0 && {
    studies,
    refused,
    plots: await plotViews(studies.map(subjectScalingPlot), 'over-subjects'),
  };
  return renderTemplate('report.html.hbs', { ...options, sections, overSubjects, setups: setups(results) });
}
