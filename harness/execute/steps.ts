/** @file Runs steps through the store: times them, shows their progress, computes only what is not there. */
import type { StepKind } from '../plan.ts';
import type { StepProgress } from '../progress.ts';
import type { StoredStep } from '../store.ts';
import type { Run } from './run.ts';

/** Where one step does its work. */
export interface StepWork {
  /** What it leaves. */
  folder: string;
  progress: StepProgress;
  /** A line that stays. */
  say(line: string): void;
  signal: AbortSignal;
}

/**
 * Runs one step: `make` fills the folder and gives what the step says about itself; its wall time is added. `inputs` are
 * the keys of the steps that it reads.
 */
export type RunStep = (
  kind: StepKind,
  key: string,
  label: string,
  make: (work: StepWork) => Promise<Record<string, unknown>>,
  options?: { resumable?: boolean; inputs?: readonly (string | undefined)[] },
) => Promise<StoredStep>;

/** Steps over a run's store. `onComputed` is told of each step that was not there. */
export function stepRunner({ store, progress, signal }: Run, onComputed: (kind: StepKind) => void): RunStep {
  return async (kind, key, label, make, { resumable, inputs = [] } = {}) => {
    const timed = async (folder: string) => {
      const shown = progress.step(`${kind} ${label}`);
      const started = performance.now();
      try {
        const meta = await make({ folder, progress: shown, say: progress.say, signal });
        const seconds = (performance.now() - started) / 1000;
        shown.end(`${seconds.toFixed(1)} s`);
        return { seconds: { [kind]: seconds }, ...meta };
      } catch (error) {
        shown.end(signal.aborted ? 'stopped' : 'failed');
        throw error;
      }
    };
    signal.throwIfAborted();
    const known = inputs.filter((input) => input !== undefined);
    const step = await store.compute(kind, key, timed, { resumable, label, inputs: known, signal });
    if (step.computed) onComputed(kind);
    return step;
  };
}

/** Wall time that a step took when it was computed. */
export const secondsOf = (step: StoredStep): number =>
  Object.values((step.meta['seconds'] ?? {}) as Record<string, number>)[0] ?? 0;
