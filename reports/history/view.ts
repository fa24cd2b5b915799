/** @file A history in words and plots: its runs, the changes of level, and the trend of each task's main metric. */
import { axesLabel, formatNumber, metricTitle } from '../format.ts';
import { groupBy } from '../group-by.ts';
import { linePlot } from '../plots/lines.ts';
import type { Plot } from '../plots/svg.ts';
import { createPalette } from '../plots/theme.ts';
import { type ChangePoint, changePoints } from './change-points.ts';
import type { HistoryRow } from './file.ts';
import { breaksIn, type Series, seriesOf } from './series.ts';

/** Digits of a commit. */
const COMMIT = 10;

export interface HistoryView {
  suite: string;
  /** One line a run, oldest first. */
  runs: string[];
  changes: {
    verdict: string;
    where: string;
    method: string;
    metric: string;
    levels: string;
    between: string;
    p: string;
  }[];
  /** How changes are told, with the error rate. */
  test: string;
  notes: string[];
  plots: Plot[];
}

const runText = ({ run, recorded, commit, dirty, machine, backend, limited }: HistoryRow): string =>
  `${recorded}: ${commit === null ? 'no commit' : commit.slice(0, COMMIT)}${dirty ? ' (modified)' : ''}, ${machine}, ${backend}${limited ? ', made with --limit' : ''} (run ${run})`;

const commitText = ({ commit, recorded }: HistoryRow): string => (commit === null ? recorded : commit.slice(0, COMMIT));

const methodText = ({ method, axes }: HistoryRow): string =>
  Object.keys(axes).length > 0 ? `${method} (${axesLabel(axes)})` : method;

function changeView({ series: { key }, before, after, levels, p, verdict }: ChangePoint) {
  return {
    verdict,
    where: `${key.subject} ${key.site} ${key.task}`,
    method: methodText(key),
    metric: metricTitle(key.metric),
    levels: levels.map(formatNumber).join(' → '),
    between: `${commitText(before)} → ${commitText(after)}`,
    p: p === null ? 'not tested: no spread over seeds' : formatNumber(p),
  };
}

/** One plot for each task at each site: main metrics over runs, a line a method. */
function trendPlots(series: readonly Series[], runs: readonly string[]): Plot[] {
  const shown = series.filter(({ key, current }) => key.main && !key.control && current);
  const palette = createPalette(shown.map(({ key }) => ({ name: key.method, kind: 'sae' as const })));
  const groups = groupBy(shown, ({ key }) => JSON.stringify([key.subject, key.site, key.task]));
  return groups.flatMap((own) => {
    const { subject, site, task, metric } = own[0]!.key;
    const lines = own.flatMap(({ key, points }) => {
      const known = points.filter(({ value }) => value !== null);
      const x = known.map(({ run }) => runs.indexOf(run) + 1);
      return known.length > 0
        ? [{ method: key.method, label: methodText(key), x, y: known.map(({ value }) => value!) }]
        : [];
    });
    const title = `${task}: ${metricTitle(metric)}`;
    const caption = `${subject} ${site}, over runs under the settings of the newest one.`;
    const plot = linePlot(lines, palette, { title, caption, x: 'run', y: metricTitle(metric) });
    return plot ? [plot] : [];
  });
}

/** The history of the suite of the newest run; runs made with --limit are a history of their own. */
export function historyView(all: readonly HistoryRow[]): HistoryView {
  const { suite, limited } = all.at(-1)!;
  const rows = all.filter((row) => row.suite === suite && row.limited === limited);
  const runs = groupBy(rows, ({ run }) => run).map(([first]) => first!);
  const series = seriesOf(rows);
  const watched = series.filter(({ key, current }) => current && (key.main || key.measured) && !key.control);
  return {
    suite,
    runs: runs.map(runText),
    changes: changePoints(watched).map(changeView),
    test:
      `Of ${watched.length} series (main metrics, and what is measured): the cut with the smallest p of a two-sided t test between the means before and ` +
      'after it, its error from the spread of seeds (of times and the like, from the spread of runs on one machine), times the number of ' +
      'cuts (Bonferroni), corrected over series (Holm): the chance that noise alone shows any change is at most 5 %. Equal values ' +
      'that follow each other count once.',
    notes: breaksIn(series),
    plots: trendPlots(
      series,
      runs.map(({ run }) => run),
    ),
  };
}
