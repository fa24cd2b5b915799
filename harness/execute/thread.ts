/** @file A worker thread of `threads.ts`: works off jobs that it asks for, and tells how it goes on. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BackendChoice, initBackend, sharingCores } from '../num/backend.ts';
import { type Progress, rarely } from '../progress.ts';
import { openRegistry } from '../registry.ts';
import { openStore } from '../store.ts';
import { workOff } from './executor.ts';
import type { Job, JobQueue } from './queue.ts';
import {
  copyError,
  errorFrom,
  type QueueCall,
  type ThreadMessage,
  type ThreadOrder,
  type ThreadTask,
} from './threads.ts';

const { plan, worker, storeRoot, places, out, provenance, backend, plugins } = workerData as ThreadTask;
const tell = (message: ThreadMessage) => parentPort!.postMessage(message);
const controller = new AbortController();
const { signal } = controller;

parentPort!.on('message', (order: ThreadOrder) => {
  if (order.type === 'abort') controller.abort();
});

/** The run's queue, which another thread holds. */
function distantQueue(): JobQueue {
  let calls = 0;
  const ask = (question: QueueCall) =>
    new Promise<Job | undefined>((resolve, reject) => {
      const call = calls++;
      const hear = (order: ThreadOrder) => {
        if (order.type !== 'answer' || order.call !== call) return;
        parentPort!.off('message', hear);
        if (order.error) reject(errorFrom(order.error));
        else resolve(order.job);
      };
      parentPort!.on('message', hear);
      tell({ type: 'queue', call, ask: question });
    });
  return {
    take: () => ask({ method: 'take', worker }),
    renew: async (job) => void (await ask({ method: 'renew', job })),
    done: async (job) => void (await ask({ method: 'done', job })),
    failed: async (job, error) => void (await ask({ method: 'failed', job, error: copyError(error) })),
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
  await initBackend(backend as BackendChoice);
  const registry = openRegistry();
  if (plugins.length > 0) {
    const { loadPlugin } = await import('../plugins.ts');
    for (const file of plugins) await loadPlugin(file, registry);
  }
  const say = (line: string) => tell({ type: 'say', line });
  const store = openStore(storeRoot, say);
  const own = { registry, store, places, ...(out === undefined ? {} : { out }), provenance, signal, progress, say };
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
