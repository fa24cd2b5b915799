/** @file The places of a report (a subject at a site) in the order in which they are read. */
import type { ResultSubject } from '../../harness/schema/result.generated.ts';
import { byPlace, groupBy } from '../group-by.ts';
import type { Table } from '../table.ts';
import { taskTitle } from '../withheld.ts';

/** Tables under one heading, e.g. those of one suite among several; without it, by modality alone. */
export interface ReportPart {
  heading?: string;
  tables: readonly Table[];
}

/** A subject at a site, with all its tables. */
export interface Place {
  heading?: string;
  subject: Table['subject'];
  site: Table['site'];
  /** In the order of columns: what says which methods are equal in size, what rates them, what they cost. */
  tables: Table[];
  /** Another site of a subject than the one with most methods: read after all that stands first. */
  aside: boolean;
}

/** What a subject is, in the order in which kinds are read. */
const KINDS = ['model', 'world', 'planted', 'random-weights'] as const;

const kindOf = ({ control, modality }: ResultSubject): (typeof KINDS)[number] =>
  control ?? (modality === 'vectors' ? 'world' : 'model');

/** Whether methods are ranked over subjects by this one: a model that was trained, with nothing put there to be found. */
export const isModel = (subject: ResultSubject): boolean => kindOf(subject) === 'model';

const taskOrder = ({ task: { shows } }: Table): number => (shows?.bands ? 0 : shows?.costs ? 2 : 1);

const methodsAt = (tables: readonly Table[]): number =>
  new Set(tables.flatMap(({ rows }) => rows.map(({ method }) => method.name))).size;

/**
 * Models before controls, and of each subject first the site with most methods; within that, in the given order. What is
 * read last is random weights.
 */
export function placesOf(parts: readonly ReportPart[]): Place[] {
  const places = parts.flatMap(({ heading, tables }) =>
    groupBy(byPlace(tables), ([table]) => table!.subject.id).flatMap((ofSubject) => {
      const counts = ofSubject.map(methodsAt);
      const main = counts.indexOf(Math.max(...counts));
      return ofSubject.map(
        (own, i): Place => ({
          ...(heading === undefined ? {} : { heading }),
          ...{ subject: own[0]!.subject, site: own[0]!.site },
          tables: [...own].sort((a, b) => taskOrder(a) - taskOrder(b)),
          aside: i !== main,
        }),
      );
    }),
  );
  const order = ({ subject, aside }: Place) => 2 * KINDS.indexOf(kindOf(subject)) + Number(aside);
  return places.sort((a, b) => order(a) - order(b));
}

/** Whether a place is folded: controls without anything learned, and further sites. */
export const isFolded = ({ subject, aside }: Place): boolean => aside || subject.control === 'random-weights';

/** A task with its tables, in the order of the places; what is a positive control stands apart from what ranks, and last. */
export interface TaskPart {
  title: string;
  parts: { table: Table; place: Place }[];
}

export function taskParts(places: readonly Place[]): TaskPart[] {
  const all = places.flatMap((place) => place.tables.map((table) => ({ table, place })));
  const ranked = all.filter(({ table }) => table.plantedControl === undefined);
  const controls = all.filter(({ table }) => table.plantedControl !== undefined);
  return [
    ...groupBy(ranked, ({ table }) => table.task.id),
    ...groupBy(controls, ({ table }) => JSON.stringify([table.plantedControl, table.task.id])),
  ].map((parts) => ({ title: taskTitle(parts[0]!.table), parts }));
}
