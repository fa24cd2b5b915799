/** @file Starts a module of the package as a worker thread, whether the sources run or the compiled code. */

import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * A worker thread that runs the module at `url`, whose extension is that of the running code. A worker does not inherit the
 * TypeScript loader that runs the sources.
 */
export function startThread(url: URL, options: Pick<WorkerOptions, 'workerData' | 'resourceLimits'>): Worker {
  if (!url.pathname.endsWith('.ts')) return new Worker(url, options);
  const [loader, module] = [import.meta.resolve('tsx/esm/api'), url.href].map((text) => JSON.stringify(text));
  const source = `import(${loader}).then(({ register }) => (register(), import(${module})))`;
  return new Worker(source, { ...options, eval: true });
}
