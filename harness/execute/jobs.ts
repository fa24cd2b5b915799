/**
 * @file Who does what of a run that several threads share: each has subjects of its own, and whoever is done first takes
 * over from the others, one method at a time.
 */
import type { Plan } from '../plan.ts';

/** One method at one site, with the tasks that score it: positions in the plan. */
export interface Job {
  cell: number;
  fit: number;
}

/** What is left, in memory that threads share, so that a thread takes a job without asking another that is at work. */
export interface Jobs {
  /** For each cell the first and the last job that nobody took, packed into one number so that both change together. */
  left: Int32Array<SharedArrayBuffer>;
  /** Cells by subject: its first owner's side, and whether other sides may help. */
  cells: { side: number; shared: boolean }[];
}

const BITS = 15;
const MOST = (1 << BITS) - 1;
const pack = (first: number, end: number) => (end << BITS) | first;
const firstOf = (packed: number) => packed & MOST;
const endOf = (packed: number) => packed >> BITS;

/**
 * Deals whole subjects out to `sides`, the largest first, since their activations are collected together.
 *
 * @param plan What the run has to do, and no more.
 * @param isShared Whether two sides may hold a subject open at the same time.
 */
export function dealJobs(plan: Plan, sides: number, isShared: (subject: string) => boolean): Jobs {
  const work = new Map<string, number>();
  for (const { subject, fits } of plan.cells) {
    if (fits.length > MOST) throw new RangeError(`jobs: ${fits.length} methods at one site, the most is ${MOST}`);
    const own = fits.reduce((sum, { evaluations }) => sum + evaluations.length, 0);
    work.set(subject.id, (work.get(subject.id) ?? 0) + own);
  }
  const load = new Array<number>(sides).fill(0);
  const sideOf = new Map<string, number>();
  for (const [subject, own] of [...work].sort((a, b) => b[1] - a[1])) {
    const side = load.indexOf(Math.min(...load));
    load[side]! += own;
    sideOf.set(subject, side);
  }
  const left = new Int32Array(new SharedArrayBuffer(4 * plan.cells.length));
  plan.cells.forEach(({ fits }, i) => {
    left[i] = pack(0, fits.length);
  });
  const cells = plan.cells.map(({ subject: { id } }) => ({ side: sideOf.get(id)!, shared: isShared(id) }));
  return { left, cells };
}

/** Takes a cell's next job from its start, or the last one from its end. */
function takeFrom(left: Jobs['left'], cell: number, end: boolean): Job | undefined {
  for (;;) {
    const packed = Atomics.load(left, cell);
    const [from, to] = [firstOf(packed), endOf(packed)];
    if (from >= to) return undefined;
    const next = end ? pack(from, to - 1) : pack(from + 1, to);
    if (Atomics.compareExchange(left, cell, packed, next) === packed) return { cell, fit: end ? to - 1 : from };
  }
}

/**
 * The next job of a side: of its own subjects in the order of the plan, then from the end of the others' first cell that
 * has some left. Two sides thus meet in the middle of a cell, whose activations and preparations both need.
 */
export function takeJob({ left, cells }: Jobs, side: number): Job | undefined {
  for (const [i, cell] of cells.entries()) {
    const job = cell.side === side ? takeFrom(left, i, false) : undefined;
    if (job) return job;
  }
  for (const [i, { shared }] of cells.entries()) {
    const job = shared ? takeFrom(left, i, true) : undefined;
    if (job) return job;
  }
  return undefined;
}
