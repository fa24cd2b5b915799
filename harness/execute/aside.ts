/** @file Runs one side of a run in a worker thread: most of a run's work holds one core only. */
import { UserError } from '../errors.ts';
import { startThread } from '../io/thread.ts';
import { codeExtension } from '../paths.ts';
import type { Plan } from '../plan.ts';
import type { Progress, StepProgress } from '../progress.ts';
import type { RunProvenance } from '../provenance.ts';
import type { Jobs } from './jobs.ts';
import type { SideSummary } from './run-jobs.ts';

/** What a worker needs to open what the run works on; all of it can be copied to another thread. */
export interface AsideSetting {
  storeRoot: string;
  out: string;
  run: RunProvenance;
  backend: string;
  /** Files of `--plugin`. */
  plugins: string[];
}

/** The side that a worker takes of a run's jobs. */
export interface AsideSide {
  plan: Plan;
  jobs: Jobs;
  side: number;
}

export type AsideTask = AsideSetting & AsideSide;

/** Runs one side elsewhere and reports its steps to `progress`. */
export type AsideStart = (
  side: AsideSide,
  env: { progress: Progress; signal: AbortSignal; say(line: string): void },
) => Promise<SideSummary>;

/** An error as it crosses between threads, which keeps no class. */
export interface ErrorCopy {
  name: string;
  message: string;
  stack?: string;
  user: boolean;
}

/** What a worker tells. */
export type AsideMessage =
  | { type: 'begin'; step: number; label: string }
  | { type: 'update'; step: number; done: number; total: number; note?: string }
  | { type: 'end'; step: number; outcome: string }
  | { type: 'say'; line: string }
  | { type: 'progress line'; line: string }
  | { type: 'done'; computed: SideSummary['computed']; failures: { label: string; error: ErrorCopy }[] }
  | { type: 'failed'; error: ErrorCopy };

export function copyError(error: unknown): ErrorCopy {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, ...(stack === undefined ? {} : { stack }), user: error instanceof UserError };
}

function errorFrom({ name, message, stack, user }: ErrorCopy): Error {
  const error = user ? new UserError(message) : Object.assign(new Error(message), { name });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/**
 * Arrays outside the heap are collected with the young generation, whose usual size is soon full of them: this one takes
 * a fifth of the collections away.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 192 };

/** Runs each side in a worker thread of its own. */
export function workerAside(setting: AsideSetting): AsideStart {
  return (side, { progress, signal, say }) =>
    new Promise((resolve, reject) => {
      const module = new URL(`./aside-worker${codeExtension}`, import.meta.url);
      const workerData: AsideTask = { ...setting, ...side };
      const worker = startThread(module, { workerData, resourceLimits });
      const abort = () => worker.postMessage('abort');
      const steps = new Map<number, StepProgress>();
      worker.on('message', (message: AsideMessage) => {
        switch (message.type) {
          case 'begin':
            steps.set(message.step, progress.step(message.label));
            break;
          case 'update':
            steps.get(message.step)?.update(message.done, message.total, message.note);
            break;
          case 'end':
            steps.get(message.step)?.end(message.outcome);
            steps.delete(message.step);
            break;
          case 'say':
            say(message.line);
            break;
          case 'progress line':
            progress.say(message.line);
            break;
          case 'failed':
            reject(signal.aborted ? signal.reason : errorFrom(message.error));
            break;
          case 'done': {
            const failures = message.failures.map(({ label, error }) => ({ label, error: errorFrom(error) }));
            resolve({ computed: message.computed, failures });
          }
        }
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        signal.removeEventListener('abort', abort);
        reject(new Error('the worker thread ended before its part of the run'));
      });
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
}
