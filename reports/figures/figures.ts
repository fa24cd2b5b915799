/** @file The plots of a report, each with the name of its file. */
import type { Result } from '../../harness/schema/result.generated.ts';
import { type Place, placesOf, taskParts } from '../overview/places.ts';
import { trainingPlots } from '../plots/index.ts';
import { partPlots, resultsAt } from '../plots/parts.ts';
import { subjectScalingPlot } from '../plots/scaling.ts';
import type { Plot } from '../plots/svg.ts';
import { createPalette } from '../plots/theme.ts';
import { subjectStudies } from '../subject-scaling.ts';
import type { Table } from '../table.ts';

export interface Figure {
  /** Without an ending: words and hyphens, so that LaTeX and shells take it as it is. */
  name: string;
  plot: Plot;
}

/** Some systems allow no longer names; what differs further on is told apart by a number. */
const LONGEST = 120;

const nameOf = (...parts: string[]): string =>
  parts
    .join('-')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, LONGEST) || 'figure';

const placeName = ({ subject, site }: Place): string => nameOf(subject.id, site.name);

/** All plots that the HTML report draws, in its order. */
export function figuresOf(tables: readonly Table[], results: readonly Result[]): Figure[] {
  const palette = createPalette(results.map(({ method }) => method));
  const places = placesOf([{ tables }]);
  const drawn: [name: string, plot: Plot][] = [
    ...taskParts(places).flatMap(({ parts }) =>
      parts.flatMap(({ table, place }) =>
        partPlots(table, place, results, palette).plots.map((plot): [string, Plot] => [
          nameOf(table.task.id, placeName(place), plot.title),
          plot,
        ]),
      ),
    ),
    ...places.flatMap((place) =>
      trainingPlots(resultsAt(place, results), palette).map((plot): [string, Plot] => [
        nameOf(placeName(place), plot.title),
        plot,
      ]),
    ),
    ...subjectStudies(results).studies.map((study): [string, Plot] => {
      const plot = subjectScalingPlot(study);
      return [nameOf(plot.title), plot];
    }),
  ];
  const taken = new Set<string>();
  return drawn.map(([wanted, plot]) => {
    // Of two names that differ in case alone some systems make one file.
    let name = wanted;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${wanted}-${n}`;
    taken.add(name.toLowerCase());
    return { name, plot };
  });
}
