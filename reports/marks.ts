/** @file Marks of results as tables show them: a sign at the method's name, and a line below the table. */
import type { Result } from '../harness/schema/result.generated.ts';

/** One remark on a method of a table. */
export interface TableMark {
  /** Name of the method. */
  method: string;
  /** What it is about, in a word. */
  code: string;
  message: string;
  /** Seeds that it holds for. */
  seeds: number[];
}

/** Stands before the name of a method that has marks. */
export const MARK = '⚠';

/** The marks of a table's results, each remark once with its seeds, in the order of first appearance. */
export function marksOf(results: readonly Pick<Result, 'method' | 'seed' | 'marks'>[]): TableMark[] {
  const found = new Map<string, TableMark>();
  for (const { method, seed, marks = [] } of results) {
    for (const { code, message } of marks) {
      const key = JSON.stringify([method.name, message]);
      const mark = found.get(key) ?? { method: method.name, code, message, seeds: [] };
      found.set(key, mark);
      if (!mark.seeds.includes(seed)) mark.seeds.push(seed);
    }
  }
  return [...found.values()];
}

/** `name`, behind the sign where one of `marks` concerns it. */
export function markedName(name: string, method: string, marks: readonly TableMark[]): string {
  return marks.some((mark) => mark.method === method) ? `${MARK} ${name}` : name;
}

/** The line below a table; with the seeds where the table has others too. */
export function markLine({ method, message, seeds }: TableMark, all: readonly number[]): string {
  const which = all.every((seed) => seeds.includes(seed))
    ? ''
    : ` (seed ${[...seeds].sort((a, b) => a - b).join(', ')})`;
  return `${MARK} ${method}${which}: ${message}`;
}
