/** @file `saxbench store` knows the replies of judges beside the steps. */
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openReplies } from '../store/replies.ts';
import { runCommand } from '../testing/command-line.ts';
import { inFolder } from '../testing/failing.ts';

const test = suite('store');

test('replies are listed by judge, verified, and pruned by age or damage; --unused and --max-size leave them', async () => {
  await inFolder(async (root) => {
    const at = ['--store', root];
    assert.match((await runCommand('store', 'ls', ...at)).out, /^0 steps, 0\.0 MiB; 0 left unfinished/m);
    const { once } = openReplies(root, assert.unreachable)({ id: 'my-judge', version: 1, options: {} });
    for (const text of ['a', 'b', 'c']) await once({ text }, async () => ({ overall: 1 }));
    const listed = (await runCommand('store', 'ls', ...at)).out;
    assert.match(listed, /^replies {6}my-judge .* 0 d {2}3 replies of the judge my-judge$/m);
    assert.match(listed, /0 steps, 0\.0 MiB; 3 replies of judges, 0\.0 MiB; 0 left unfinished/);
    const verified = await runCommand('store', 'verify', ...at);
    assert.is(verified.code, 0);
    assert.match(verified.out, /^3 replies of judges: 0 damaged/m);
    const spared = (await runCommand('store', 'gc', '--max-size', '0', ...at)).out;
    assert.match(spared, /would remove 0 steps, 0 replies and 0 leftovers, .*; 0 steps and 3 replies of judges stay\./);

    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
    const [first, second] = files.map((name) => join(root, name)) as [string, string];
    writeFileSync(first, '{"request":');
    const old = Date.now() / 1000 - 50 * 86_400;
    utimesSync(second, old, old);
    const bad = await runCommand('store', 'verify', ...at);
    assert.is(bad.code, 2);
    assert.match(
      bad.out,
      /^replies {6}my-judge .*DAMAGED: its checksum is not that of its content and place: \S+\.json$/m,
    );
    const json = JSON.parse((await runCommand('store', 'verify', '--json', ...at)).out) as Record<string, unknown>;
    assert.equal([json['replies'], (json['badReplies'] as unknown[]).length], [3, 1]);
    const gone = (await runCommand('store', 'gc', '--older-than', '30', '--yes', ...at)).out;
    assert.match(gone, /\(damaged: its checksum/);
    assert.match(gone, /\(not used for long\)$/m);
    assert.match(gone, /^removed 0 steps, 2 replies and 0 leftovers: .* 0 steps and 1 replies of judges stay\.$/m);
  });
});

test.run();
