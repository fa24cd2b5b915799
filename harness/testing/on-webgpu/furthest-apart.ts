/** @file How far the numbers of two runs are apart that differ in the backend alone. */
import { readCsvRecords } from '../../io/csv.ts';

const PLACE = ['subject', 'site', 'task', 'method', 'axes', 'band', 'seed', 'metric'];

export interface Apart {
  /** Numbers compared: what a clock measured is none. */
  numbers: number;
  /** The largest difference, relative to the larger of the two and 1. Infinite where only one run has a number. */
  apart: number;
  /** Of what. */
  where: string;
}

async function valuesOf(file: string): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for await (const row of readCsvRecords(file, [...PLACE, 'measured', 'value'])) {
    if (row['measured'] !== 'true') values.set(PLACE.map((name) => row[name]).join(' '), row['value']!);
  }
  return values;
}

/** @param a, b `results.csv` of two runs. */
export async function furthestApart(a: string, b: string): Promise<Apart> {
  const [one, other] = [await valuesOf(a), await valuesOf(b)];
  const worst: Apart = { numbers: 0, apart: 0, where: 'nothing' };
  for (const place of new Set([...one.keys(), ...other.keys()])) {
    const [x, y] = [one.get(place), other.get(place)];
    const [p, q] = [Number(x), Number(y)];
    // An empty cell has a reason in place of a number: it stays empty.
    const apart =
      x === y ? 0 : x && y ? Math.abs(p - q) / Math.max(Math.abs(p), Math.abs(q), 1) : Number.POSITIVE_INFINITY;
    worst.numbers += 1;
    if (apart > worst.apart || Number.isNaN(apart))
      Object.assign(worst, { apart: Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart, where: place });
  }
  return worst;
}
