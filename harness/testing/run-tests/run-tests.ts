/**
 * @file Runs files of tests by uvu in as many processes as there are cores, and prints what each file said when it is
 * through: `npm test`, `npm test -- 'plan'`, `npm test -- '^harness/num' --jobs 1`. Patterns are matched with
 * paths of files. Exits with 1 where a test failed, a file died or ran no test.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse, type Suite } from 'uvu/parse';
import { type Counts, END_OF_FILE, type FileOutcome, outcomeOf } from './output.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Its output is a pipe to a worker, which would print without colours. */
const ENV = process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env;

/** Runs files that `next` gives in one process, and in another one where a file ends it. */
function runInWorker(
  next: () => Suite | undefined,
  done: (file: Suite, outcome: FileOutcome, seconds: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const start = (file: Suite | undefined) => {
      if (!file) return resolve();
      let current: Suite | undefined = file;
      let printed = '';
      let began = performance.now();
      const since = () => (performance.now() - began) / 1000;
      const worker: ChildProcess = fork(WORKER, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: ENV });
      const hear = (piece: string) => {
        printed += piece;
        const end = printed.indexOf(`\n${END_OF_FILE}\n`);
        if (end < 0 || !current) return;
        done(current, outcomeOf(printed.slice(0, end)), since());
        printed = '';
        began = performance.now();
        current = next();
        if (current) worker.send(current);
        else worker.disconnect();
      };
      const streams = [worker.stdout!, worker.stderr!];
      for (const stream of streams) stream.setEncoding('utf8').on('data', hear);
      // Not 'close', which does not come where this side disconnects.
      Promise.all([once(worker, 'exit'), ...streams.map((stream) => once(stream, 'end'))]).then(([[code, signal]]) => {
        if (!current) return resolve();
        const fault = `its process ended by ${signal ?? `exit code ${code}`}`;
        done(current, { ...outcomeOf(printed), fault }, since());
        start(next());
      }, reject);
      worker.send(current);
    };
    start(next());
  });
}

const { values, positionals } = parseArgs({ options: { jobs: { type: 'string' } }, allowPositionals: true });
const jobs = values.jobs === undefined ? availableParallelism() : Number(values.jobs);
if (!(Number.isInteger(jobs) && jobs >= 1))
  throw new Error(`--jobs: expected a whole number from 1, found ${values.jobs}`);

const began = performance.now();
const all = await parse('.', '\\.test\\.ts$', { ignore: ['node_modules', '^dist'] });
const wanted = new RegExp(positionals.join('|'));
const suites = all.suites.filter(({ name }) => wanted.test(name));
if (suites.length === 0) throw new Error(`no file of tests matches '${positionals.join(' ')}'`);
const left = suites.values();
const sum: Counts = { total: 0, passed: 0, skipped: 0 };
const faults: string[] = [];
const seconds: [number, string][] = [];
const SLOWEST = 8;

await Promise.all(
  Array.from({ length: Math.min(jobs, suites.length) }, () =>
    runInWorker(
      () => left.next().value,
      ({ name }, outcome, took) => {
        console.log(outcome.text);
        seconds.push([took, name]);
        for (const key of ['total', 'passed', 'skipped'] as const) sum[key] += outcome[key];
        if (outcome.fault) faults.push(`${name}: ${outcome.fault}`);
      },
    ),
  ),
);

seconds.sort(([a], [b]) => b - a);
console.log('\n  Slowest:');
for (const [took, name] of seconds.slice(0, SLOWEST)) console.log(`${took.toFixed(1).padStart(9)} s  ${name}`);
for (const fault of faults) console.log(`  FAIL  ${fault}`);
console.log(`\n  Total:     ${sum.total}\n  Passed:    ${sum.passed}\n  Skipped:   ${sum.skipped}`);
console.log(`  Duration:  ${((performance.now() - began) / 1000).toFixed(1)} s, ${jobs} at a time\n`);
process.exitCode = sum.passed < sum.total || faults.length > 0 ? 1 : 0;
