/** @file The worker thread of `aside.ts`: runs its side of the jobs and tells how it goes on. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BackendChoice, initBackend, sharingCores } from '../num/backend.ts';
import { type Progress, rarely } from '../progress.ts';
import { openRegistry } from '../registry.ts';
import { openStore } from '../store.ts';
import { type AsideMessage, type AsideTask, copyError } from './aside.ts';
import { takeJob } from './jobs.ts';
import { runJobs } from './run-jobs.ts';

const { plan, jobs, side, storeRoot, out, run, backend, plugins } = workerData as AsideTask;
const tell = (message: AsideMessage) => parentPort!.postMessage(message);
const controller = new AbortController();
parentPort!.on('message', () => controller.abort());

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
  const env = { registry, store, out, run, signal: controller.signal, progress, next: () => takeJob(jobs, side) };
  const { computed, failures } = await sharingCores(() => runJobs(plan, env));
  tell({ type: 'done', computed, failures: failures.map(({ label, error }) => ({ label, error: copyError(error) })) });
} catch (error) {
  tell({ type: 'failed', error: copyError(error) });
} finally {
  parentPort!.close();
}
