/** @file The arithmetic of the speed table: medians, paired ratios, the choice of the peer, verdicts; its options. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { compare, type Rounds } from './compare.ts';
import { createMeasure } from './contenders.ts';
import { instructionSetsOf } from './machine.ts';
import { type Row, rows } from './rows.ts';

const test = suite('speed table');

const contender = { name: 'x', script: 'x', args: [], needs: [] };
const rowOf = (measure: Row['measure'], targets: Row['targets']): Row => ({
  id: 'row',
  title: 'title',
  ours: contender,
  peers: [],
  targets,
  measure,
});
const rounds = (...values: (number | undefined)[]): Rounds =>
  values.map((value) => (value === undefined ? undefined : { value, unit: 'u', peak_mib: value * 10, note: '' }));

test('throughput: ratios are paired round by round, and the fastest peer is the one to beat', () => {
  const row = rowOf('throughput', [
    { over: 'slow', atLeast: 3 },
    { over: 'fastest', atLeast: 3 },
  ]);
  const peers = new Map([
    ['slow', rounds(2, 3, 4)],
    ['fast', rounds(4, 4, 10)],
  ]);
  const [slow, fast] = compare(row, rounds(8, 9, 20), peers);
  assert.equal(slow!.ratio, { median: 4, min: 3, max: 5 });
  assert.equal([slow!.peer.name, slow!.met], ['slow', true]);
  assert.equal(fast!.ratio, { median: 2, min: 2, max: 2.25 });
  assert.equal([fast!.peer.name, fast!.met], ['fast', false]);
  assert.equal(fast!.ours, { median: 9, min: 8, max: 20 });
});

test('seconds and peak memory: less is better', () => {
  const targets = [{ over: 'fastest', atLeast: 2 }];
  const [time] = compare(rowOf('seconds', targets), rounds(1, 2), new Map([['peer', rounds(4, 6)]]));
  assert.equal(time!.ratio, { median: 3.5, min: 3, max: 4 });
  const [peak] = compare(rowOf('peak', targets), rounds(1), new Map([['peer', rounds(1.5)]]));
  assert.equal([peak!.ours.median, peak!.peer.median, peak!.met, peak!.unit], [10, 15, false, 'MiB']);
});

test('CPU seconds: their own ratio, less is better, in the median round', () => {
  const timed = (...seconds: number[]): Rounds =>
    seconds.map((cpu_s) => ({ value: 1, unit: 'u', peak_mib: 1, note: '', cpu_s }));
  const row = rowOf('throughput', [{ over: 'fastest', atLeast: 1 }]);
  const [line] = compare(row, timed(1, 2, 4), new Map([['peer', timed(3, 4, 40)]]));
  assert.equal([line!.ratio.median, line!.cpuRatio], [1, 3]);
  assert.is(compare(row, rounds(1), new Map([['peer', rounds(1)]]))[0]!.cpuRatio, undefined);
});

test('a contender that crashes is left out with what it said, not with the version of Node under it', async () => {
  const outcome = await createMeasure()({ ...contender, script: 'no-such-measurement.ts' }, 0);
  assert.match((outcome as { skipped: string }).skipped, /^Error.*Cannot find module/);
});

test('rounds without a number are left out, and a peer without any gives no line', () => {
  const row = rowOf('throughput', [{ over: 'fastest', atLeast: 1 }]);
  const [line] = compare(row, rounds(6, 8), new Map([['peer', rounds(undefined, 4)]]));
  assert.equal(line!.ratio, { median: 2, min: 2, max: 2 });
  assert.equal(compare(row, rounds(6, 8), new Map([['peer', []]])), []);
});

test('rows have different names, and every target names a peer of its row', () => {
  for (const quick of [false, true]) {
    const all = rows(quick);
    assert.is(new Set(all.map(({ id }) => id)).size, all.length);
    for (const { targets, peers } of all)
      for (const { over } of targets) assert.ok(over === 'fastest' || peers.some(({ name }) => name === over), over);
  }
});

test('rows in bfloat16 have no peer in float32', () => {
  const mixed = rows(true).filter(({ id }) => id.endsWith('-bf16'));
  assert.equal(
    mixed.map(({ ours }) => ours.args.at(-1)),
    ['bf16', 'bf16', 'bf16'],
  );
  for (const { peers } of mixed)
    assert.equal(
      peers.map(({ name }) => name),
      ['torch bf16', 'torch bf16-compile'],
    );
});

test('the instruction sets of a CPU: those that decide the speed, of x86 and of ARM; none where none are told', () => {
  const flags =
    'model name\t: X amx_bf16\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile\nbugs\t: none\nflags\t\t: sve\n';
  assert.equal(instructionSetsOf(flags), ['avx2', 'avx512f', 'avx512_bf16', 'amx_tile']);
  assert.equal(instructionSetsOf('Features\t: fp asimd bf16\n'), ['asimd', 'bf16']);
  assert.equal(instructionSetsOf('nothing'), []);
});

test('a mistake in the options is one line and exit 2, before anything is measured', () => {
  const cases: [string, string[], RegExp][] = [
    ['perf.ts', ['--rounds', '1.5'], /^perf: --rounds: expected a whole number of at least 1, found '1.5'\.\n$/],
    ['synthetic/synthetic.ts', ['--seeds', '0'], /^perf:synthetic: --seeds: expected .*, found '0'\.\n$/],
    [
      'synthetic/synthetic.ts',
      ['--uneven', '--variant', 'crosscoder'],
      /^perf:synthetic: --uneven: .* 'crosscoder'\.\n$/,
    ],
    ['synthetic/synthetic.ts', ['--related'], /^perf:synthetic: --related: expected --write beside it .*\.\n$/],
  ];
  for (const [script, args, line] of cases) {
    const file = path.join(packageRoot, 'harness/perf', script);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], {
      encoding: 'utf8',
    });
    assert.equal([status, stdout], [2, '']);
    assert.match(stderr, line);
  }
});

test.run();
