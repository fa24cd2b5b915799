/** @file A worker thread of `threads.ts`: works off jobs that it asks for, and tells how it goes on. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ChatMissing, ChatReply } from '../contract/chat.ts';
import { UserError } from '../errors.ts';
import { type BackendChoice, initBackend, sharingCores } from '../num/backend.ts';
import { type Progress, rarely } from '../progress.ts';
import { openRegistry } from '../registry.ts';
import { openStore } from '../store.ts';
import { workOff } from './executor.ts';
import type { Job, JobQueue } from './queue.ts';
import type { Run, RunChat } from './run.ts';
import {
  copyError,
  errorFrom,
  type ThreadAnswer,
  type ThreadCall,
  type ThreadMessage,
  type ThreadOrder,
  type ThreadTask,
} from './threads.ts';

const { plan, worker, storeRoot, places, out, endpoint, provenance, backend, precision, plugins } =
  workerData as ThreadTask;
const tell = (message: ThreadMessage) => parentPort!.postMessage(message);
const controller = new AbortController();
const { signal } = controller;

/** This thread's calls to the run, which answers them in any order. */
function openCalls() {
  const waiting = new Map<number, { resolve: (answer: ThreadAnswer) => void; reject: (error: Error) => void }>();
  let calls = 0;
  return {
    ask: (question: ThreadCall) =>
      new Promise<ThreadAnswer>((resolve, reject) => {
        waiting.set(calls, { resolve, reject });
        tell({ type: 'ask', call: calls++, ask: question });
      }),
    hear({ call, answer, error }: Extract<ThreadOrder, { type: 'answer' }>): void {
      const { resolve, reject } = waiting.get(call)!;
      waiting.delete(call);
      if (error) reject(errorFrom(error));
      else resolve(answer);
    },
  };
}

const { ask, hear } = openCalls();

parentPort!.on('message', (order: ThreadOrder) => {
  if (order.type === 'abort') controller.abort();
  else hear(order);
});

/** The run's queue, which another thread holds. */
function distantQueue(): JobQueue {
  return {
    take: async () => (await ask({ method: 'take', worker })) as Job | undefined,
    renew: async (job) => void (await ask({ method: 'renew', job })),
    done: async (job) => void (await ask({ method: 'done', job })),
    failed: async (job, error) => void (await ask({ method: 'failed', job, error: copyError(error) })),
  };
}

/** The chat model that the run holds. */
function distantChat(endpoint: string): RunChat {
  let failure: UserError | undefined;
  return {
    endpoint,
    async complete(request) {
      try {
        return (await ask({ method: 'complete', request })) as ChatReply | ChatMissing;
      } catch (error) {
        if (error instanceof UserError) failure ??= error;
        throw error;
      }
    },
    failure: () => failure,
  };
}

let begun = 0;
const progress: Progress = {
  step(label) {
    const step = begun++;
    tell({ type: 'begin', step, label });
    return {
      update: rarely((done, total, note) =>
        tell({ type: 'update', step, done, total, ...(note === undefined ? {} : { note }) }),
      ),
      end: (outcome) => tell({ type: 'end', step, outcome }),
    };
  },
  say: (line) => tell({ type: 'progress line', line }),
  stop() {},
};

try {
  await initBackend(backend as BackendChoice, precision);
  const registry = openRegistry();
  if (plugins.length > 0) {
    const { loadPlugin } = await import('../plugins.ts');
    for (const file of plugins) await loadPlugin(file, registry);
  }
  const say = (line: string) => tell({ type: 'say', line });
  const store = openStore(storeRoot, say);
  const own: Run = {
    ...{ registry, store, places, provenance, signal, progress, say },
    ...(out === undefined ? {} : { out }),
    ...(endpoint === undefined ? {} : { chat: distantChat(endpoint) }),
  };
  const { computed, failures } = await sharingCores(() => workOff(plan, distantQueue(), own));
  tell({
    type: 'done',
    computed,
    failures: failures.map((failure) => ({ ...failure, error: copyError(failure.error) })),
  });
} catch (error) {
  tell({ type: 'failed', error: copyError(error) });
} finally {
  parentPort!.close();
}
