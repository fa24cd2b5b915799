/** @file Runs a toy suite from the command line of a test: `toy-run.ts FOLDER SLOW_MS`. Prints a line for each fit. */
import { join } from 'node:path';
import { prepareRun, type RunChat } from '../execute/run.ts';
import { type ExecuteOptions, executePlan } from '../execute.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { openStore } from '../store.ts';
import { toyRegistry, toySuite } from './toy.ts';

/** Plans and runs a toy suite in `folder`, with its store beside the results. */
export async function runToy(
  folder: string,
  more: Partial<Suite> = {},
  signal: AbortSignal = new AbortController().signal,
  {
    registry = toyRegistry(),
    chat,
    ...options
  }: Partial<ExecuteOptions> & { registry?: Registry; chat?: RunChat } = {},
) {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const endpoint = chat ? { endpoint: chat.endpoint } : {};
  const settings = { backend: 'cpu', limited: false, passed: ['toy'], settings: {}, say, ...endpoint };
  const { plan, places, provenance } = await prepareRun(toySuite(folder, more), registry, settings);
  const store = openStore(join(folder, 'store'), say);
  const out = join(folder, 'out');
  const run = { registry, store, places, out, provenance, signal, say, ...(chat ? { chat } : {}) };
  const summary = await executePlan(plan, run, { showProgress: false, ...options });
  return { plan, summary, said, out, store };
}

if (process.argv[1]?.endsWith('toy-run.ts')) {
  const [folder, slowMs] = process.argv.slice(2);
  process.stdout.write('started\n');
  const methods = [1, 2].map((scale) => ({
    id: 'toy-mean',
    name: `toy-${scale}`,
    options: { scale, slowMs: scale > 1 ? Number(slowMs) : 0 },
  }));
  await runToy(folder!, { methods });
}
