/** @file The plots of each part of a report, as the HTML report and the figures of a paper both draw them. */
import type { Result } from '../../harness/schema/result.generated.ts';
import { type Front, frontsOf } from '../fronts.ts';
import type { Place } from '../overview/places.ts';
import { scalingStudies } from '../scaling.ts';
import type { Table } from '../table.ts';
import { frontPlot } from './fronts.ts';
import { tablePlots } from './index.ts';
import { scalingPlot } from './scaling.ts';
import type { Plot } from './svg.ts';
import type { Palette } from './theme.ts';

export const resultsAt = ({ subject, site }: Place, results: readonly Result[]): Result[] =>
  results.filter((result) => result.subject.id === subject.id && result.site.name === site.name);

/** A table's plots, with the fronts and the scaling laws that some of them draw. */
export function partPlots(
  table: Table,
  place: Place,
  results: readonly Result[],
  palette: Palette,
): { plots: Plot[]; fronts: Front[] } & ReturnType<typeof scalingStudies> {
  const ofTask = resultsAt(place, results).filter(({ task }) => task.id === table.task.id);
  const fronts = frontsOf(table, place.tables);
  const scaling = scalingStudies(ofTask);
  const plots = [
    ...tablePlots(table, place.tables, fronts, ofTask, palette),
    ...fronts.map(frontPlot),
    ...scaling.studies.map(scalingPlot),
  ];
  return { plots, fronts, ...scaling };
}
