/** @file Runs one measurement in a process of its own and reads the JSON line that it prints last. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { codeExtension, codeRoot, packageRoot } from '../paths.ts';
import type { Measurement } from './ours/measure.ts';
import type { Contender } from './rows.ts';

const run = promisify(execFile);
/** A measurement that takes longer is given up. */
const LIMIT_MS = 15 * 60_000;

/** What a run came to: its numbers, or the reason for none. */
export type Outcome = { measured: Measurement } | { skipped: string };

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** What a failed run says: its last line of the form `Error: …`, since Node ends a crash with its version. */
function reasonOf(text: string): string {
  const error = text.split('\n').findLast((line) => /^[\w.]*Error\b/.test(line));
  return (error ?? lastLine(text)).slice(0, 160);
}

/** Python modules of `names` that cannot be found; all of them where Python itself is missing. */
async function missingModules(names: string[]): Promise<string[]> {
  const code = 'import importlib.util, sys; print([n for n in sys.argv[1:] if not importlib.util.find_spec(n)])';
  try {
    const { stdout } = await run('python3', ['-c', code, ...names]);
    return names.filter((name) => stdout.includes(`'${name}'`));
  } catch {
    return ['python3'];
  }
}

/** A peer's script, or our measurement in the form in which this module runs. */
function fileOf(script: string): string {
  if (script.endsWith('.py')) return path.join(packageRoot, 'harness/perf/peers', script);
  return path.join(codeRoot, 'harness/perf/ours', script.replace(/\.ts$/, codeExtension));
}

/** Node and its arguments. A TypeScript loader, where one is needed, counts towards the peak memory by some 50 MiB. */
const own = (file: string): [string, string[]] => [
  process.execPath,
  codeExtension === '.ts' ? ['--import', 'tsx', file] : [file],
];

/** Measures the contenders of one table: one that was measured before in a round is not run again for another row. */
export function createMeasure(): (contender: Contender, round: number) => Promise<Outcome> {
  const outcomes = new Map<string, Promise<Outcome>>();
  // Asking starts Python: once for the packages that several contenders need.
  const missing = new Map<string, Promise<string[]>>();
  const missingOf = ({ needs }: Contender) => {
    const key = needs.join();
    if (!missing.has(key)) missing.set(key, missingModules(needs));
    return missing.get(key)!;
  };
  const measure = async (contender: Contender): Promise<Outcome> => {
    const lacks = isPython(contender) ? await missingOf(contender) : [];
    return lacks.length > 0 ? { skipped: `${lacks.join(', ')} not installed` } : runOnce(contender);
  };
  return (contender, round) => {
    const key = JSON.stringify([round, contender.script, contender.args]);
    if (!outcomes.has(key)) outcomes.set(key, measure(contender));
    return outcomes.get(key)!;
  };
}

const isPython = ({ script }: Contender): boolean => script.endsWith('.py');

/** Runs a contender; whatever fails is skipped with the reason. */
async function runOnce(contender: Contender): Promise<Outcome> {
  const { script } = contender;
  const args = contender.args.map(String);
  const python = isPython(contender);
  const [command, before] = python ? ['python3', [fileOf(script)]] : own(fileOf(script));
  try {
    const { stdout } = await run(command, [...before, ...args], {
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 26,
    });
    return { measured: JSON.parse(lastLine(stdout)) as Measurement };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { skipped: reasonOf(stderr || message) };
  }
}
