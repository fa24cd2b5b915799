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
  /** Part of the steps after which a silent latent counts as dead. */
  deadWindow: number;
}

/** How far the L0 of two runs that are compared may lie apart. */
export const L0_TOLERANCE = 0.05;

const NUMBERS = ['batch', 'lr', 'coefficient', 'deadWindow', 'ev', 'mmcs', 'l0', 'dead'];

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

/** The runs of one learning rate and window as one: at `l0` between two whose L0 lie around it, else the nearest. */
function atL0(runs: readonly ReferenceRun[], l0: number): ReferenceRun {
  const below = runs.filter((run) => run.l0 <= l0).sort((a, b) => b.l0 - a.l0)[0];
  const above = runs.filter((run) => run.l0 > l0).sort((a, b) => a.l0 - b.l0)[0];
  if (!below || !above) return (below ?? above)!;
  const part = (l0 - below.l0) / (above.l0 - below.l0);
  const between = (name: 'ev' | 'mmcs' | 'l0' | 'dead') => below[name] + part * (above[name] - below[name]);
  const nearest = part < 0.5 ? below : above;
  return { ...nearest, ev: between('ev'), mmcs: between('mmcs'), l0: between('l0'), dead: between('dead') };
}

/**
 * The most that the peer explains at `l0`, over its learning rates with a run near it. Explained variance rises steeply with
 * L0, so that of the runs around `l0` at one rate the value between them is taken, also where only one of them is near.
 */
export function bestReference(
  runs: readonly ReferenceRun[],
  variant: string,
  batch: number,
  l0: number,
): ReferenceRun | undefined {
  const own = runs.filter((run) => run.variant === variant && run.batch === batch);
  const setting = ({ lr, deadWindow }: ReferenceRun) => `${lr} ${deadWindow}`;
  const near = own.filter((run) => Math.abs(run.l0 / l0 - 1) <= L0_TOLERANCE);
  return [...new Set(near.map(setting))]
    .map((name) =>
      atL0(
        own.filter((run) => setting(run) === name),
        l0,
      ),
    )
    .sort((a, b) => b.ev - a.ev)[0];
}
