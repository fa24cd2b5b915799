/** @file What commands that compute do alike between a suite and its execution. */
import type { Executor } from '../execute/executor.ts';
import type { PreparedRun } from '../execute/run.ts';
import { OWN_THREADS } from '../num/backends/names.ts';
import type { Precision } from '../num/precision.ts';
import { fewOpenFiles } from '../open-files.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import type { CommandContext } from './command.ts';

/** Prepares a run of the suite by the command's settings; known models that it reads are fetched, and said. */
export async function prepared(
  suite: Suite,
  registry: Registry,
  { values, passed, say, signal }: CommandContext,
  endpoint?: string,
): Promise<PreparedRun> {
  // Every backend's runs are shared out by it: what is wrong is said before anything is fetched or removed.
  (await import('../native/addon.ts')).allowedThreads();
  const { fetchNamed, modelsOf } = await import('../suite/subjects.ts');
  await fetchNamed(await modelsOf(suite, registry), { say, signal });
  const { prepareRun } = await import('../execute/run.ts');
  const limited = values['limit'] !== undefined;
  return prepareRun(suite, registry, {
    ...{ backend: values['backend'] as string, precision: values['precision'] as Precision },
    ...{ limited, passed, settings: values, say },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

/** Beyond this many, threads wait for one another's activations and preparations. */
const MAX_THREADS = 4;

/** Threads, where there are cores for them and the backend computes on cores; else this one. */
export async function executorFor(
  { name: backend, precision }: PreparedRun['backend'],
  plugins: string[],
): Promise<Executor> {
  const { allowedThreads } = await import('../native/addon.ts');
  const { threads } = await import('../execute/threads.ts');
  const one = OWN_THREADS.includes(backend) || fewOpenFiles();
  const most = one ? 1 : Math.min(MAX_THREADS, allowedThreads());
  return threads({ threads: most, backend, precision, plugins });
}

/** The line that work begins with: on what. */
export const beginning = (title: string, { backend: { name, device, detail } }: PreparedRun): string =>
  `${title} on ${name} (${device}; ${detail})`;
