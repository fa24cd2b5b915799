/** @file Runs of peers on the synthetic data, as the scripts `peers/*_synthetic.py` printed them, and the best of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../paths.ts';
import type { Recovery } from './recover.ts';

/** What trained the peers, by the file of its runs; `PyTorch` is written from the papers, where no library has the variant. */
const PEERS = {
  SAELens: 'saelens.csv',
  dictionary_learning: 'dictionary_learning.csv',
  overcomplete: 'overcomplete.csv',
  'temporal-saes': 'temporal-saes.csv',
  PyTorch: 'pytorch.csv',
};
/** The same on rows of uneven norms. */
const PEERS_UNEVEN = { SAELens: 'saelens-uneven.csv' };

/** Variants whose `coefficient` weighs a penalty that L0 follows; that of others is a setting of its own. */
const PENALISED = ['relu', 'jumprelu', 'gated', 'relu-bricken', 'p-anneal', 'transcoder'];

/** One run of a peer. */
export interface ReferenceRun extends Recovery {
  peer: string;
  variant: string;
  batch: number;
  lr: number;
  /** λ of the L1 or L0 penalty, or what the peer's script says; 0 where the variant has none. */
  coefficient: number;
  /** Part of the steps after which a silent latent counts as dead, or what `peers/synthetic_grid.py` says. */
  deadWindow: number;
}

/** How far the L0 of two runs that are compared may lie apart. */
export const L0_TOLERANCE = 0.05;

const COLUMNS = ['variant', 'batch', 'lr', 'coefficient', 'deadWindow', 'ev', 'mmcs', 'l0', 'dead'];

/**
 * The runs of one table.
 *
 * @throws Error for other columns, and a line that is cut or has no numbers: left out, it could have been the best of them.
 */
export function parseRuns(peer: string, text: string): ReferenceRun[] {
  const [head, ...lines] = text.trim().split('\n');
  if (head !== COLUMNS.join())
    throw new Error(`runs of ${peer}: expected the columns ${COLUMNS.join()}, found ${head}`);
  return lines.map((line, i) => {
    const [variant, ...cells] = line.split(',');
    const numbers = cells.map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
    if (cells.length !== COLUMNS.length - 1 || !numbers.every(Number.isFinite)) {
      throw new Error(
        `runs of ${peer}: line ${i + 2}: expected ${COLUMNS.length - 1} numbers after the variant, found '${line}'`,
      );
    }
    return {
      peer,
      variant,
      ...Object.fromEntries(numbers.map((value, at) => [COLUMNS[at + 1]!, value])),
    } as ReferenceRun;
  });
}

const runsOf = (peer: string, file: string): ReferenceRun[] =>
  parseRuns(peer, readFileSync(join(packageRoot, 'harness/perf/synthetic', file), 'utf8'));

/** All committed runs on rows of even or uneven norms. */
export function referenceRuns(uneven = false): ReferenceRun[] {
  return Object.entries(uneven ? PEERS_UNEVEN : PEERS).flatMap(([peer, file]) => runsOf(peer, file));
}

/** The runs of one setting as one: at `l0` between two whose L0 lie around it, else the nearest. */
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
  const option = ({ coefficient }: ReferenceRun) => (PENALISED.includes(variant) ? '' : coefficient);
  const setting = (run: ReferenceRun) => `${run.lr} ${run.deadWindow} ${option(run)}`;
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

/** Most that a recipe may stay behind. */
const BEHIND = { ev: 0.01, mmcs: 0.02 };

/**
 * What the table says of `ours` beside the best of a peer. Explained variance tells of a recipe only at equal L0: of a variant
 * that cannot be told an L0 (`matched` is false) the numbers of both stand there, and nothing is concluded.
 */
export function verdictOf(
  ours: Pick<Recovery, 'ev' | 'mmcs'>,
  best: Pick<Recovery, 'ev' | 'mmcs'>,
  matched: boolean,
): string {
  if (!matched) return 'not comparable: no L0 to match';
  return ours.ev - best.ev >= -BEHIND.ev && ours.mmcs - best.mmcs >= -BEHIND.mmcs ? 'reached' : 'behind';
}
