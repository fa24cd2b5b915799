/** @file What `run` and `train` do alike between a suite and its execution. */
import type { PreparedRun } from '../execute/run.ts';
import type { Precision } from '../num/precision.ts';
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

/** The line that work begins with: on what. */
export const beginning = (title: string, { backend: { name, device, detail } }: PreparedRun): string =>
  `${title} on ${name} (${device}; ${detail})`;
