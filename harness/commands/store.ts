/** @file `saxbench store`: shows, prunes and checks what runs keep. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { Entry } from '../store/inventory.ts';
import type { Command, CommandContext } from './command.ts';

const ACTIONS = ['ls', 'gc', 'verify'] as const;
const DAY_MS = 24 * 3_600_000;
const MIB = 2 ** 20;

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
const sum = (items: readonly { bytes: number }[]) => items.reduce((total, { bytes }) => total + bytes, 0);
const days = (time: number) => Math.floor((Date.now() - time) / DAY_MS);
const line = ({ kind, key, bytes, lastUse, label, damage }: Entry) =>
  [
    kind.padEnd(11),
    key.slice(0, 12),
    mib(bytes).padStart(11),
    `${days(lastUse)} d`.padStart(6),
    damage === undefined ? label : `DAMAGED: ${damage}`,
  ].join('  ');

async function list(root: string, { values, print }: CommandContext): Promise<number> {
  const { listLeftovers, listSteps } = await import('../store/inventory.ts');
  const [steps, leftovers] = [await listSteps(root, false), await listLeftovers(root)];
  if (values['json']) print(JSON.stringify({ root, steps, leftovers }, null, 2));
  else {
    for (const entry of steps) print(line(entry));
    print(
      `${steps.length} steps, ${mib(sum(steps))}; ${leftovers.length} left unfinished, ${mib(sum(leftovers))}; ${root}`,
    );
  }
  return 0;
}

async function verify(root: string, { values, print, signal }: CommandContext): Promise<number> {
  const { listLeftovers, listSteps, missingInputs } = await import('../store/inventory.ts');
  const steps = await listSteps(root, true, signal);
  const damaged = steps.filter(({ damage }) => damage !== undefined);
  const dangling = missingInputs(steps);
  const leftovers = await listLeftovers(root);
  if (values['json']) print(JSON.stringify({ root, steps: steps.length, damaged, dangling, leftovers }, null, 2));
  else {
    for (const entry of damaged) print(line(entry));
    for (const { entry, missing } of dangling) {
      print(
        `${line(entry)}: made from ${missing.length} steps that are gone: ${missing.map((key) => key.slice(0, 12))}`,
      );
    }
    for (const { path, bytes } of leftovers) print(`left unfinished: ${path} (${mib(bytes)})`);
    print(
      `${steps.length} steps: ${damaged.length} damaged (a run computes them again), ` +
        `${dangling.length} whose inputs are gone (whole themselves), ${leftovers.length} left unfinished.`,
    );
  }
  return damaged.length > 0 ? 2 : 0;
}

/** Keys of the steps that the results below a folder came from. */
async function referencedBy(folder: string): Promise<Set<string>> {
  const { readJson } = await import('../io/json.ts');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new UserError(`store gc --unused: there is no folder ${folder} with results: name it with --out.`);
  });
  const keys = new Set<string>();
  for (const entry of entries) {
    if (!entry.isFile() || !/^seed-\d+\.json$/.test(entry.name)) continue;
    const result = await readJson(join(entry.parentPath, entry.name), 'result').catch(() => undefined);
    const { provenance } = (result ?? {}) as { provenance?: { steps?: Record<string, unknown> } };
    for (const key of Object.values(provenance?.steps ?? {})) keys.add(String(key));
  }
  if (keys.size > 0) return keys;
  throw new UserError(`store gc --unused: expected results below ${folder}; found none: every step would go.`);
}

async function rulesOf(values: Values) {
  const [age, size] = [values['older-than'], values['max-size']] as (number | undefined)[];
  return {
    ...(age === undefined ? {} : { olderThan: age * DAY_MS }),
    ...(size === undefined ? {} : { maxBytes: size * MIB }),
    ...(values['unused']
      ? { referenced: await referencedBy(resolve((values['out'] as string) ?? 'saxbench-out')) }
      : {}),
  };
}

async function collect(root: string, { values, print, signal }: CommandContext): Promise<number> {
  const { planPrune, prune } = await import('../store/prune.ts');
  const plan = await planPrune(root, await rulesOf(values), Date.now());
  const { steps, leftovers, inUse, kept } = plan;
  const freed = values['yes'] ? await prune(root, plan, signal) : 0;
  if (values['json']) {
    print(JSON.stringify({ root, removed: values['yes'], freed, ...plan, kept: kept.length }, null, 2));
    return 0;
  }
  for (const { entry, reason } of steps) print(`${line(entry)}  (${reason})`);
  for (const { path, bytes } of leftovers) print(`left unfinished: ${path} (${mib(bytes)})`);
  for (const entry of inUse) print(`${line(entry)}  (in use: stays)`);
  const what = `${steps.length} steps and ${leftovers.length} leftovers`;
  print(
    values['yes']
      ? `removed ${what}: ${mib(freed)} freed, ${kept.length} steps stay.`
      : `would remove ${what}, ${mib(sum([...steps.map(({ entry }) => entry), ...leftovers]))}; ${kept.length} steps stay. Add --yes to do it.`,
  );
  return 0;
}

export const command: Command = {
  name: 'store',
  usage: 'store <action>',
  summary: 'Show, prune (gc) or check (verify) the store of activations, fitted methods and evaluations',
  positionals: { action: { description: 'What to do', choices: ACTIONS } },
  examples: [
    ['saxbench store ls', 'every step with its size and the days since its last use'],
    ['saxbench store gc --older-than 30', 'what was not used for 30 days: shows it; --yes removes it'],
    ['saxbench store gc --max-size 2000 --yes', 'keep the 2,000 MiB that were used last'],
    ['saxbench store gc --unused --out saxbench-out', 'what no result below that folder came from'],
    ['saxbench store verify', 'all checksums; exit code 2 when something is damaged'],
  ],
  async run(context) {
    const root = resolve(context.values['store'] as string);
    const action = context.positionals['action'] as (typeof ACTIONS)[number];
    for (const name of ['older-than', 'max-size', 'unused', 'yes', 'out']) {
      if (action === 'gc' || context.values[name] === undefined || context.values[name] === false) continue;
      throw new UserError(`store ${action}: --${name} belongs to store gc.`);
    }
    return { ls: list, gc: collect, verify }[action](root, context);
  },
};
