/** @file `saxbench history` as people call it, and what it refuses. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { smallRun } from '../../reports/testing/results.ts';
import { writeResult } from '../results.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';
import { inFolder } from '../testing/failing.ts';

const test = suite('history command');

test('adds once, shows, and refuses what is none', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'run');
    for (const result of smallRun()) await writeResult(out, result);
    const place = ['--history', join(folder, 'kept', 'history.jsonl')];
    assert.match(await mistake('history', '--no-append', ...place), /expected a history in .*; found none. Add a run/);
    assert.match(
      (await run('history', out, ...place)).out,
      /# History of suite small: 1 run, 0 changes of level[\s\S]*added to/,
    );
    assert.match((await run('history', out, ...place)).out, /is in .* already/);
    const { added, runs } = JSON.parse((await run('history', out, ...place, '--json')).out) as {
      added: boolean;
      runs: string[];
    };
    assert.equal([added, runs.length], [false, 1]);
    assert.is((await run('history', '--no-append', ...place, '--out', join(folder, 'site'))).code, 0);
    assert.match(
      await mistake('history', join(folder, 'none'), ...place),
      /expected a folder of results, a result file/,
    );
    await mkdir(join(folder, 'empty'));
    assert.match(await mistake('history', join(folder, 'empty'), ...place), /no results below/);
    await writeFile(place[1]!, '{"run":1}\n');
    assert.match(await mistake('history', out, ...place), /row 1: run: expected a text/);
  }));

test.run();
