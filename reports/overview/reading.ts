/**
 * @file What an overview says, in two sentences made from the tests of its tables: which SAE is best at equal size, and
 * whether baselines do better. The best SAE is compared with the other SAEs of its band, and with all baselines, by paired
 * differences with Holm's correction for the number of each.
 */
import { formatNumber, metricTitle } from '../format.ts';
import { comparedWith } from '../ranks.ts';
import type { Table, TableRow } from '../table.ts';
import { headlines, isRating, mainOf, nameOf, saeBands, signOf } from './bands.ts';
import type { Place } from './places.ts';

/** More names than this are counted. */
const MOST_NAMES = 4;

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/** The best SAE of a table among those of one band, with how others stand to it. */
export interface Verdict {
  table: Table;
  best: TableRow;
  value: number;
  /** Other SAEs of the band. */
  saes: Standing;
  baselines: Standing;
}

/** Names, in the order of the table. */
interface Standing {
  better: string[];
  tied: string[];
  worse: string[];
  untested: string[];
}

function standingTo(best: TableRow, others: readonly TableRow[], table: Table): Standing {
  const found: Standing = { better: [], tied: [], worse: [], untested: [] };
  const value = mainOf(table, best)!;
  for (const { row, standing } of comparedWith(best, others)) {
    const better = signOf(table) * (mainOf(table, row)! - value) > 0;
    const key = standing === 'apart' ? (better ? 'better' : 'worse') : (standing as 'tied' | 'untested');
    found[key].push(better && key !== 'better' ? `${row.method.name} (higher)` : row.method.name);
  }
  return found;
}

/** Of each table that rates methods, of the SAEs named and the baselines that may stand beside them. */
export function verdictsOf(tables: readonly Table[], saes: readonly string[]): Verdict[] {
  return tables.filter(isRating).flatMap((table) => {
    const sign = signOf(table);
    const rows = headlines(table)
      .filter((row) => row.control === undefined && mainOf(table, row) !== null)
      .sort((a, b) => sign * (mainOf(table, b)! - mainOf(table, a)!));
    const [best, ...others] = rows.filter(({ method }) => saes.includes(method.name));
    if (!best) return [];
    const baselines = rows.filter(
      ({ method, band }) => method.kind === 'baseline' && (!table.task.shows?.bands || band === best.band),
    );
    return [
      {
        ...{ table, best, value: mainOf(table, best)! },
        saes: standingTo(best, others, table),
        baselines: standingTo(best, baselines, table),
      },
    ];
  });
}

function bestText({ best, value, table, saes }: Verdict): string {
  const { tied, untested, worse } = saes;
  const others = tied.length + untested.length + worse.length;
  const open = [...tied, ...untested];
  const all = others === 1 ? 'the other' : `all ${others} others`;
  const rivals =
    open.length === 0
      ? `ahead of ${all}`
      : `not told apart from ${open.length === others && others > 1 ? `any of the ${others} others` : named(open)}`;
  const score = `${metricTitle(table.main!)} ${formatNumber(value)}`;
  return `${best.method.name} in ${nameOf(table)} (${others === 0 ? score : `${score}, ${rivals}`})`;
}

function scoreOf(table: Table, name: string): string {
  return formatNumber(mainOf(table, headlines(table).find(({ method }) => method.name === name)!));
}

function baselineText({ table, value, best, baselines }: Verdict): string | undefined {
  const { better, tied, untested, worse } = baselines;
  const open = [...tied, ...untested];
  if (better.length + open.length + worse.length === 0) return undefined;
  const own = `${best.method.name}'s ${formatNumber(value)}`;
  if (better.length > 0) {
    const above = named(better.map((name) => `${name} ${scoreOf(table, name)}`));
    return `in ${nameOf(table)} yes: ${above} against ${own}${open.length > 0 ? `, not told apart ${named(open)}` : ''}`;
  }
  if (open.length > 0) return `in ${nameOf(table)} it cannot be told: ${named(open)} against ${own}`;
  return `in ${nameOf(table)} no: ${own} is above ${named(worse)}`;
}

/** A sentence, in its two parts. */
export interface Sentence {
  /** What it answers. */
  lead: string;
  text: string;
}

/** The sentences of a place; none where it has no SAE that any task rates. */
export function readingOf({ tables }: Place): Sentence[] {
  const bands = saeBands(tables);
  const band = bands.reduce((most, each) => (each.methods.length > most.methods.length ? each : most), bands[0]!);
  const verdicts = band ? verdictsOf(tables, band.methods) : [];
  if (verdicts.length === 0) return [];
  const [metric, ...range] = band.title.split(' ');
  const where = band.title === '' ? '' : ` at equal ${metric} (${range.join(' ')})`;
  const lead = band.methods.length === 1 ? `One SAE${where}, with no other to compare it with:` : `Best SAE${where}:`;
  const baselines = verdicts.flatMap((verdict) => baselineText(verdict) ?? []);
  return [
    { lead, text: `${verdicts.map(bestText).join('; ')}.` },
    ...(baselines.length > 0 ? [{ lead: 'Do baselines beat it?', text: `${capital(baselines.join('; '))}.` }] : []),
  ];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
