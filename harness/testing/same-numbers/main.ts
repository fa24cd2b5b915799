/**
 * @file `npm run same-numbers -- COMMIT [--limit N] [--run NAME …] [--keep DIR]`: runs the code of a commit and the code
 * that lies here, and compares their `results.csv` byte by byte but for versions, keys and options that are new. Exit status 1 when any differs.
 * For changes of structure, which must change no number.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packageRoot } from '../../paths.ts';
import { scriptArguments } from '../script-arguments.ts';
import { compareResults } from './compare.ts';
import { type Inputs, missing, RUNS, TRAINING, writeActivations } from './runs.ts';

const { values: options, positionals } = scriptArguments(
  'same-numbers',
  'COMMIT [--limit N] [--run NAME …] [--keep DIR]',
  { limit: { type: 'string' }, run: { type: 'string', multiple: true }, keep: { type: 'string' } },
  'names',
);
const [commit] = positionals;
const unknown = options.run?.find((name) => !RUNS.some((run) => run.name === name));
if (positionals.length !== 1 || unknown) {
  console.error(
    `Expected one commit and runs of ${RUNS.map(({ name }) => name).join(', ')}; found ${unknown ?? positionals.length}.`,
  );
  process.exit(2);
}

const here = packageRoot;
const folder = options.keep ? resolve(options.keep) : await mkdtemp(join(tmpdir(), 'saxbench-same-'));
await mkdir(folder, { recursive: true });
const before = join(folder, 'code');
/** What commands say goes into a file, which is shown only if one of them fails. */
const log = join(folder, 'log.txt');
function exec(command: string, args: string[], cwd: string): void {
  const said = openSync(log, 'w');
  try {
    execFileSync(command, args, { cwd, stdio: ['ignore', said, said] });
  } catch (error) {
    console.error(readFileSync(log, 'utf8'));
    throw error;
  } finally {
    closeSync(said);
  }
}

/** The command line of one state of the code; both are called from here, so that relative paths are the same. */
const saxbench = (tree: string, args: string[]) =>
  exec(process.execPath, [join(tree, 'dist/harness/cli.js'), ...args, '--no-progress'], here);

async function compareRun(name: string, args: string[]): Promise<boolean> {
  const [old, now] = [before, here].map((tree, i) => {
    const out = join(folder, ['before', 'after'][i]!, name);
    const limit = options.limit ? ['--limit', options.limit] : [];
    saxbench(tree, ['run', ...args, ...limit, '--out', out, '--store', join(folder, ['before', 'after'][i]!, 'store')]);
    return join(out, 'results.csv');
  });
  const { lines, different, examples } = await compareResults(old!, now!);
  console.log(different ? `${name}: ${different} of ${lines} lines differ` : `${name}: ${lines} lines, all the same`);
  for (const example of examples) console.log(`  ${example}`);
  return different === 0;
}

let same = true;
try {
  exec('git', ['worktree', 'add', '--force', '--detach', before, commit!], here);
  exec('npm', ['ci'], before);
  exec('npm', ['run', '-s', 'build'], here);
  const inputs: Inputs = { activations: join(folder, 'activations'), checkpoint: join(folder, 'trained') };
  await writeActivations(inputs.activations);
  if (!existsSync(inputs.checkpoint)) {
    saxbench(before, ['train', ...TRAINING, '--out', inputs.checkpoint, '--store', join(folder, 'before', 'store')]);
  }
  for (const run of RUNS.filter(({ name }) => options.run?.includes(name) ?? true)) {
    const why = missing(run);
    if (why) console.log(`${run.name}: left out, ${why}`);
    else same = (await compareRun(run.name, run.args(inputs))) && same;
  }
} finally {
  if (existsSync(before)) exec('git', ['worktree', 'remove', '--force', before], here);
  if (!options.keep) await rm(folder, { recursive: true, force: true });
}
process.exitCode = same ? 0 : 1;
