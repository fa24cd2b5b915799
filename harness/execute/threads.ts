/** @file Runs the jobs of a plan in worker threads: most of a run's work holds one core only. */
import type { ChatMissing, ChatReply, ChatRequest } from '../contract/chat.ts';
import { UserError } from '../errors.ts';
import { startThread } from '../io/thread.ts';
import { sharingCores } from '../num/backend.ts';
import type { Precision } from '../num/precision.ts';
import { codeExtension } from '../paths.ts';
import type { Plan } from '../plan.ts';
import type { StepProgress } from '../progress.ts';
import type { RunProvenance } from '../provenance.ts';
import { type Executor, type Failure, joined, type Summary, workOff } from './executor.ts';
import type { Job, JobQueue } from './queue.ts';
import type { Run, SubjectPlaces } from './run.ts';

/** What the threads of a run have of their own. */
export interface ThreadsOptions {
  /** Most of them. */
  threads: number;
  backend: string;
  precision?: Precision;
  /** Files of `--plugin`. */
  plugins: string[];
  /** Also for one: a thread loads plug-ins anew, and so knows nothing of what they kept beside their state. */
  apart?: boolean;
}

/** What a thread needs to open the run that it works on; all of it can be copied. */
export interface ThreadTask extends Omit<ThreadsOptions, 'threads' | 'apart'> {
  plan: Plan;
  worker: string;
  storeRoot: string;
  places: SubjectPlaces;
  out?: string;
  /** URL of the endpoint that judges ask: only the run itself knows more of it. */
  endpoint?: string;
  provenance: RunProvenance;
}

/** An error as it crosses between threads, which keeps no class. */
export interface ErrorCopy {
  name: string;
  message: string;
  stack?: string;
  user: boolean;
}

/** A failure as it crosses between threads. */
export type FailureCopy = Omit<Failure, 'error'> & { error: ErrorCopy };

/** What a thread asks of the run: its queue, and the chat model whose budget and pace all threads share. */
export type ThreadCall =
  | { method: 'take'; worker: string }
  | { method: 'renew' | 'done'; job: Job }
  | { method: 'failed'; job: Job; error: ErrorCopy }
  | { method: 'complete'; request: ChatRequest };

/** What it is answered. */
export type ThreadAnswer = Job | ChatReply | ChatMissing | undefined;

/** What a thread tells. */
export type ThreadMessage =
  | { type: 'ask'; call: number; ask: ThreadCall }
  | { type: 'begin'; step: number; label: string }
  | { type: 'update'; step: number; done: number; total: number; note?: string }
  | { type: 'end'; step: number; outcome: string }
  | { type: 'say'; line: string }
  | { type: 'progress line'; line: string }
  | { type: 'done'; computed: Summary['computed']; failures: FailureCopy[] }
  | { type: 'failed'; error: ErrorCopy };

/** What a thread is told: an answer, or to stop. */
export type ThreadOrder =
  | { type: 'answer'; call: number; answer?: ThreadAnswer; error?: ErrorCopy }
  | { type: 'abort' };

export function copyError(error: unknown): ErrorCopy {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, ...(stack === undefined ? {} : { stack }), user: error instanceof UserError };
}

export function errorFrom({ name, message, stack, user }: ErrorCopy): Error {
  const error = user ? new UserError(message) : Object.assign(new Error(message), { name });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/**
 * Arrays outside the heap are collected with the young generation, whose usual size is soon full of them: this one takes
 * a fifth of the collections away.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 192 };

/** Threads that take jobs from one queue; this one answers them. When one breaks off, all of them do. */
export function threads(options: ThreadsOptions): Executor {
  return {
    async run(plan, queue, run) {
      const count = Math.min(options.threads, queue.width ?? options.threads);
      if (count < 2 && !options.apart) return sharingCores(() => workOff(plan, queue, run));
      const stop = new AbortController();
      const signal = AbortSignal.any([run.signal, stop.signal]);
      const stopOnError = (error: unknown) => {
        stop.abort(error);
        throw error;
      };
      // Each thread that opens a site tells of it.
      const told = new Set<string>();
      const say = (line: string) => {
        if (!told.has(line)) run.say(line);
        told.add(line);
      };
      const working = Array.from({ length: count }, (_, i) =>
        runThread(`${i}`, plan, queue, { ...run, signal, say }, options).catch(stopOnError),
      );
      const ended = await Promise.allSettled(working);
      run.signal.throwIfAborted();
      // The first error is the reason that the other threads stopped for.
      if (stop.signal.aborted) throw stop.signal.reason;
      return joined(ended.map((side) => (side as PromiseFulfilledResult<Summary>).value));
    },
  };
}

async function answer(
  queue: JobQueue,
  ask: ThreadCall,
  { chat, signal }: Pick<Run, 'chat' | 'signal'>,
): Promise<ThreadAnswer> {
  if (ask.method === 'complete') return chat!.complete(ask.request);
  if (ask.method === 'take') return queue.take(signal, ask.worker);
  if (ask.method === 'failed') await queue.failed(ask.job, errorFrom(ask.error));
  else await queue[ask.method](ask.job);
  return undefined;
}

/** Runs one thread until the queue has no job left for it. */
function runThread(
  worker: string,
  plan: Plan,
  queue: JobQueue,
  { store, places, out, chat, provenance, progress, signal, say }: Run,
  { backend, precision, plugins }: ThreadsOptions,
): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const module = new URL(`./thread${codeExtension}`, import.meta.url);
    const workerData: ThreadTask = {
      ...{ plan, worker, storeRoot: store.root, places, provenance, backend, plugins },
      ...(precision ? { precision } : {}),
      ...(out === undefined ? {} : { out }),
      ...(chat ? { endpoint: chat.endpoint } : {}),
    };
    const thread = startThread(module, { workerData, resourceLimits });
    const tell = (order: ThreadOrder) => thread.postMessage(order);
    const abort = () => tell({ type: 'abort' });
    const steps = new Map<number, StepProgress>();
    thread.on('message', (message: ThreadMessage) => {
      switch (message.type) {
        case 'ask':
          answer(queue, message.ask, { chat, signal }).then(
            (given) => tell({ type: 'answer', call: message.call, ...(given ? { answer: given } : {}) }),
            (error: unknown) => tell({ type: 'answer', call: message.call, error: copyError(error) }),
          );
          break;
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
          const failures = message.failures.map((failure) => ({ ...failure, error: errorFrom(failure.error) }));
          resolve({ computed: message.computed, failures });
        }
      }
    });
    thread.on('error', reject);
    thread.on('exit', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('a worker thread ended before its part of the run'));
    });
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}
