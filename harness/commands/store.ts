/** @file `saxbench store`: shows, prunes and checks what runs keep. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { Entry } from '../store/inventory.ts';
import type { ReplyFile } from '../store/reply-files.ts';
import type { Command, CommandContext } from './command.ts';

const ACTIONS = ['ls', 'gc', 'verify'] as const;
const DAY_MS = 24 * 3_600_000;
const MIB = 2 ** 20;

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
const sum = (items: readonly { bytes: number }[]) => items.reduce((total, { bytes }) => total + bytes, 0);
const days = (time: number) => Math.floor((Date.now() - time) / DAY_MS);

/** A line of what is kept: a step, or all replies of a judge. */
const line = ({
  kind,
  key,
  bytes,
  lastUse,
  label,
  damage,
}: Pick<Entry, 'key' | 'bytes' | 'lastUse' | 'label' | 'damage'> & { kind: Entry['kind'] | 'replies' }) =>
  [
    kind.padEnd(11),
    key.slice(0, 12).padEnd(12),
    mib(bytes).padStart(11),
    `${days(lastUse)} d`.padStart(6),
    damage === undefined ? label : `DAMAGED: ${damage}`,
  ].join('  ');

/** Replies by judge, as a line or for JSON. */
function byJudge(files: readonly ReplyFile[]) {
  return [...new Set(files.map(({ judge }) => judge))].map((judge) => {
    const own = files.filter((file) => file.judge === judge);
    return { judge, replies: own.length, bytes: sum(own), lastUse: Math.max(...own.map(({ lastUse }) => lastUse)) };
  });
}

/** A line of one reply that is damaged or goes. */
const replyLine = ({ judge, path, bytes, lastUse, damage }: ReplyFile) =>
  line({ kind: 'replies', key: judge, bytes, lastUse, label: path, damage: damage && `${damage}: ${path}` });

async function list(root: string, { values, print }: CommandContext): Promise<number> {
  const { listLeftovers, listSteps } = await import('../store/inventory.ts');
  const { listReplies } = await import('../store/reply-files.ts');
  const [steps, leftovers] = [await listSteps(root, false), await listLeftovers(root)];
  const replies = byJudge(await listReplies(root, false));
  if (values['json']) print(JSON.stringify({ root, steps, replies, leftovers }, null, 2));
  else {
    for (const entry of steps) print(line(entry));
    for (const { judge, replies: count, bytes, lastUse } of replies) {
      print(line({ kind: 'replies', key: judge, bytes, lastUse, label: `${count} replies of the judge ${judge}` }));
    }
    const count = replies.reduce((total, own) => total + own.replies, 0);
    const ofJudges = count === 0 ? '' : ` ${count} replies of judges, ${mib(sum(replies))};`;
    print(
      `${steps.length} steps, ${mib(sum(steps))};${ofJudges} ${leftovers.length} left unfinished, ${mib(sum(leftovers))}; ${root}`,
    );
  }
  return 0;
}

async function verify(root: string, { values, print, signal }: CommandContext): Promise<number> {
  const { listLeftovers, listSteps, missingInputs } = await import('../store/inventory.ts');
  const steps = await listSteps(root, true, signal);
  const damaged = steps.filter(({ damage }) => damage !== undefined);
  const dangling = missingInputs(steps);
  const { listReplies } = await import('../store/reply-files.ts');
  const replies = await listReplies(root, true, signal);
  const badReplies = replies.filter(({ damage }) => damage !== undefined);
  const leftovers = await listLeftovers(root);
  const counts = { root, steps: steps.length, replies: replies.length };
  if (values['json']) print(JSON.stringify({ ...counts, damaged, badReplies, dangling, leftovers }, null, 2));
  else {
    for (const entry of damaged) print(line(entry));
    for (const { entry, missing } of dangling) {
      print(
        `${line(entry)}: made from ${missing.length} steps that are gone: ${missing.map((key) => key.slice(0, 12))}`,
      );
    }
    for (const file of badReplies) print(replyLine(file));
    for (const { path, bytes } of leftovers) print(`left unfinished: ${path} (${mib(bytes)})`);
    if (replies.length > 0)
      print(`${replies.length} replies of judges: ${badReplies.length} damaged (a run asks for them again).`);
    print(
      `${steps.length} steps: ${damaged.length} damaged (a run computes them again), ` +
        `${dangling.length} whose inputs are gone (whole themselves), ${leftovers.length} left unfinished.`,
    );
  }
  return damaged.length + badReplies.length > 0 ? 2 : 0;
}

/** Results that lie somewhere below a folder, and the steps that they came from. */
interface Referenced {
  folder: string;
  results: number;
  keys: Set<string>;
}

async function referencedBy(folder: string): Promise<Referenced> {
  const { readJson } = await import('../io/json.ts');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new UserError(
      `store gc --unused: there is no folder ${folder} with results: name it with --out or --results.`,
    );
  });
  const keys = new Set<string>();
  const files = entries.filter((entry) => entry.isFile() && /^seed-\d+\.json$/.test(entry.name));
  let results = 0;
  for (const { parentPath, name } of files) {
    const result = await readJson(join(parentPath, name), 'result').catch(() => undefined);
    const { provenance } = (result ?? {}) as { provenance?: { steps?: Record<string, unknown> } };
    const steps = Object.values(provenance?.steps ?? {});
    if (steps.length > 0) results++;
    for (const key of steps) keys.add(String(key));
  }
  if (results > 0) return { folder, results, keys };
  throw new UserError(`store gc --unused: expected results below ${folder}; found none: every step would go.`);
}

/** The folders that --out and --results name, or where runs write when nobody says another. */
function resultFolders(values: Values): string[] {
  const named = [values['out'] as string | undefined, ...((values['results'] ?? []) as string[])];
  const given = named.filter((folder) => folder !== undefined);
  return [...new Set((given.length > 0 ? given : ['saxbench-out']).map((folder) => resolve(folder)))];
}

/** Without --unused nothing is looked for. */
async function lookedThrough(values: Values): Promise<Referenced[]> {
  return values['unused'] ? Promise.all(resultFolders(values).map(referencedBy)) : [];
}

function rulesOf(values: Values, looked: readonly Referenced[]) {
  const [age, size] = [values['older-than'], values['max-size']] as (number | undefined)[];
  return {
    ...(age === undefined ? {} : { olderThan: age * DAY_MS }),
    ...(size === undefined ? {} : { maxBytes: size * MIB }),
    ...(values['unused'] ? { referenced: new Set(looked.flatMap(({ keys }) => [...keys])) } : {}),
  };
}

async function collect(root: string, { values, print, signal }: CommandContext): Promise<number> {
  const { planPrune, prune } = await import('../store/prune.ts');
  const looked = await lookedThrough(values);
  const plan = await planPrune(root, rulesOf(values, looked), Date.now());
  const { steps, leftovers, inUse, kept, replies, keptReplies } = plan;
  const freed = values['yes'] ? await prune(root, plan, signal) : 0;
  if (values['json']) {
    const folders = looked.map(({ folder, results }) => ({ folder, results }));
    print(
      JSON.stringify({ root, removed: values['yes'], freed, ...plan, kept: kept.length, looked: folders }, null, 2),
    );
    return 0;
  }
  for (const { folder, results, keys } of looked)
    print(`${results} results below ${folder} came from ${keys.size} steps`);
  if (looked.length > 0) print('results elsewhere count for nothing: name their folders with --results.');
  for (const { entry, reason } of steps) print(`${line(entry)}  (${reason})`);
  for (const { file, reason } of replies) print(`${replyLine(file)}  (${reason})`);
  for (const { path, bytes } of leftovers) print(`left unfinished: ${path} (${mib(bytes)})`);
  for (const entry of inUse) print(`${line(entry)}  (in use: stays)`);
  const anyReplies = replies.length + keptReplies > 0;
  const what = `${steps.length} steps${anyReplies ? `, ${replies.length} replies` : ''} and ${leftovers.length} leftovers`;
  const stay = `${kept.length} steps${anyReplies ? ` and ${keptReplies} replies of judges` : ''} stay`;
  const bytes = sum([...steps.map(({ entry }) => entry), ...replies.map(({ file }) => file), ...leftovers]);
  print(
    values['yes']
      ? `removed ${what}: ${mib(freed)} freed, ${stay}.`
      : `would remove ${what}, ${mib(bytes)}; ${stay}. Add --yes to do it.`,
  );
  return 0;
}

export const command: Command = {
  name: 'store',
  usage: 'store <action>',
  summary:
    'Show, prune (gc) or check (verify) the store of activations, fitted methods, evaluations and replies of judges',
  positionals: { action: { description: 'What to do', choices: ACTIONS } },
  examples: [
    ['saxbench store ls', 'every step with its size and the days since its last use'],
    ['saxbench store gc --older-than 30', 'what was not used for 30 days: shows it; --yes removes it'],
    ['saxbench store gc --max-size 2000 --yes', 'keep the 2,000 MiB that were used last'],
    ['saxbench store gc --unused --out saxbench-out', 'what no result below that folder came from'],
    ['saxbench store gc --unused --results a --results b', 'what no result below either folder came from'],
    ['saxbench store verify', 'all checksums; exit code 2 when something is damaged'],
  ],
  async run(context) {
    const root = resolve(context.values['store'] as string);
    const action = context.positionals['action'] as (typeof ACTIONS)[number];
    for (const name of ['older-than', 'max-size', 'unused', 'yes', 'out', 'results']) {
      if (action === 'gc' || context.values[name] === undefined || context.values[name] === false) continue;
      throw new UserError(`store ${action}: --${name} belongs to store gc.`);
    }
    if (context.values['results'] && !context.values['unused']) {
      throw new UserError('store gc: --results says where --unused looks: give that too.');
    }
    return { ls: list, gc: collect, verify }[action](root, context);
  },
};
