/** @file SAELens's runs on the synthetic data, as `peers/sae_synthetic.py` printed them, and the best of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../paths.ts';
import type { Recovery } from './recover.ts';

/** One run of the peer. */
export interface ReferenceRun extends Recovery {
  variant: string;
  batch: number;
  lr: number;
  /** λ of the L1 or L0 penalty; 0 where the variant has none. */
  coefficient: number;
}

/** How far the L0 of two runs that are compared may lie apart. */
export const L0_TOLERANCE = 0.05;

const NUMBERS = ['batch', 'lr', 'coefficient', 'ev', 'mmcs', 'l0', 'dead'];

/** All committed runs. */
export function referenceRuns(): ReferenceRun[] {
  const text = readFileSync(join(packageRoot, 'harness/perf/synthetic/saelens.csv'), 'utf8');
  const [head, ...lines] = text.trim().split('\n');
  const names = head!.split(',');
  return lines.map((line) => {
    const entries = line.split(',').map((value, i) => [names[i]!, NUMBERS.includes(names[i]!) ? Number(value) : value]);
    return Object.fromEntries(entries) as ReferenceRun;
  });
}

/** Of the runs whose L0 is near enough to `l0` the one that explains most variance. */
export function bestReference(
  runs: readonly ReferenceRun[],
  variant: string,
  batch: number,
  l0: number,
): ReferenceRun | undefined {
  return runs
    .filter((run) => run.variant === variant && run.batch === batch && Math.abs(run.l0 / l0 - 1) <= L0_TOLERANCE)
    .sort((a, b) => b.ev - a.ev)[0];
}
