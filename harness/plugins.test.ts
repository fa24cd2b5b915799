/** @file `--plugin`: TypeScript and JavaScript from outside the package, on the very contract that runs here. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineBaseline } from './contract.ts';
import { ContractError, UserError } from './errors.ts';
import { isFromOutside, pluginFault } from './plugin-fault.ts';
import { loadPlugin } from './plugins.ts';
import { openRegistry } from './registry.ts';
import { refusal } from './testing/failing.ts';

const test = suite('plugins');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-plugin-'));
test.after(() => rmSync(folder, { recursive: true }));

const body = (id: string) =>
  `defineBaseline({ id: '${id}', title: 'T', version: 1, options: {}, needs: 'nothing', seeded: false, fit: async () => ({ tensors: {}, json: defineBaseline }), restore() {} })`;

mkdirSync(join(folder, 'inner'));
writeFileSync(join(folder, 'inner', 'name.ts'), `export const name: string = 'T';`);
writeFileSync(
  join(folder, 'typed.ts'),
  `import { defineBaseline, type BaselineDefinition } from 'saxbench';
   import { name } from './inner/name.ts';
   const plugin: BaselineDefinition = ${body('typed')} as never;
   export default { ...plugin, title: name };`,
);
writeFileSync(join(folder, 'plain.js'), `import { defineBaseline } from 'saxbench'; export default ${body('plain')};`);
writeFileSync(
  join(folder, 'renamed.js'),
  `import { defineBaseline } from 'saxbench'; export default ${body('plain')};`,
);
writeFileSync(join(folder, 'broken.ts'), 'export default {');
writeFileSync(join(folder, 'throws.js'), `throw new Error('at load');`);
writeFileSync(join(folder, 'text.txt'), '');

const messageOf = (file: string) => refusal(loadPlugin(join(folder, file), openRegistry()));

for (const [file, id] of [
  ['typed.ts', 'typed'],
  ['plain.js', 'plain'],
] as const) {
  test(`${file}, outside any package, gets the running contract`, async () => {
    const registry = openRegistry();
    assert.is((await loadPlugin(join(folder, file), registry)).id, id);
    const plugin = await registry.get('baseline', id);
    assert.is(plugin.title, 'T');
    assert.is((await plugin.fit({} as never)).json, defineBaseline);
  });
}

test('what does not load is one clear line', async () => {
  assert.match(await messageOf('none.ts'), /there is no such file/);
  assert.match(await messageOf('text.txt'), /expected a \.ts, \.mts, \.js or \.mjs file; found '\.txt'/);
  assert.match(await messageOf('broken.ts'), /broken\.ts: it does not load:/);
  assert.match(await messageOf('renamed.js'), /expected the id 'renamed', as the file is named; found 'plain'/);
  assert.match(await messageOf('throws.js'), /it does not load: at load/);
  assert.match(await messageOf('inner/name.ts'), /expected a default export made by/);
});

test('what a plug-in imports from the wrong part of the package is named with the right one', async () => {
  const importing = async (line: string) => {
    const name = `imports-${line.length}`;
    writeFileSync(join(folder, `${name}.ts`), `${line}\nexport default { a };`);
    return messageOf(`${name}.ts`);
  };
  assert.match(
    await importing("import { meanInterval as a } from 'saxbench';"),
    /does not load: 'saxbench' has no 'meanInterval': import it from 'saxbench\/kit'\.$/,
  );
  assert.match(
    await importing("import { noSuch as a } from 'saxbench/sae';"),
    /'saxbench\/sae' has no 'noSuch', nor has another of saxbench, saxbench\/kit, saxbench\/sae, saxbench\/subjects\.$/,
  );
  assert.match(
    await importing("import { topk as a } from 'saxbench/harness/kit/index.js';"),
    /there is no saxbench\/harness\/kit\/index\.js; expected one of saxbench, saxbench\/kit/,
  );
});

/** The error of a call. */
async function thrownBy(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it passed');
}

test('a fault in a plug-in’s code is told from ours by its place', async () => {
  writeFileSync(
    join(folder, 'inner', 'helper.ts'),
    'export const helper = (x: number[]) => x\n  .map(() => {\n    throw new RangeError("one\\ntwo.");\n  });',
  );
  writeFileSync(
    join(folder, 'faulty.ts'),
    `import { defineBaseline, UserError } from 'saxbench'; import { createRng } from 'saxbench/kit';
     import { helper } from './inner/helper.ts';
     const fits = [
       async () => { throw new TypeError('mine'); },
       async () => helper([1]),
       async () => createRng(1).sample(1, 2),
       async () => { throw new UserError('said'); },
     ];
     export default { ...defineBaseline(${body('faulty').slice('defineBaseline('.length, -1)}), fit: ({ options }) => fits[options.at]() };`,
  );
  const registry = openRegistry();
  await loadPlugin(join(folder, 'faulty.ts'), registry);
  const { fit } = await registry.get('baseline', 'faulty');
  const at = async (index: number) => pluginFault(await thrownBy(() => fit({ options: { at: index } } as never)));
  const [own, helped, deep, said] = await Promise.all([0, 1, 2, 3].map(at));
  const file = join(folder, 'faulty.ts');
  assert.is(own!.message, `plug-in ${file}:4: TypeError: mine. Mend it there; the same command goes on from here.`);
  assert.match(helped!.message, /helper\.ts:\d+: RangeError: one two\. Mend/);
  assert.match(deep!.message, /faulty\.ts:6: /);
  assert.is(said, undefined, 'a UserError stays what it is');
  const quoting = await thrownBy(() => fit({ options: { at: 3 } } as never));
  assert.equal([quoting, new UserError('ours'), 'a text'].map(isFromOutside), [true, false, true]);
  assert.is(pluginFault(new Error('ours')), undefined);
  assert.is(pluginFault('a text'), undefined);
});

test('what a task from outside returned is its fault; ours stays ours', () => {
  const error = new ContractError('task mine: row 0: expected a finite number; found NaN');
  assert.is(pluginFault(error), undefined);
  assert.match(
    pluginFault(error, { task: './mine.ts' })!.message,
    /^plug-in \.\/mine\.ts: task mine: row 0.*NaN\. Mend/,
  );
});

const EXPORTS: readonly [source: string, line: RegExp][] = [
  ['export const sae = {};', /expected a default export made by defineSae, .*; found nothing\.$/],
  ['export default null;', /expected a default export made by .*; found \S+\.$/],
  [
    'export default { kind: "sae", id: "exports", title: "T", version: 1 };',
    /expected a function 'init'; found nothing\.$/,
  ],
  [
    'export default { kind: "task", id: "exports", title: "T", version: 1, run() {}, options: {} };',
    /expected 'metrics': a definition for each metric; found nothing\.$/,
  ],
  [
    'export default { kind: "task", id: "exports", title: "T", version: 1, run() {}, options: {}, metrics: { a: null } };',
    /expected metric 'a': a definition; found null\.$/,
  ],
  [
    'export default { kind: "baseline", id: "exports", title: "T", version: 1, fit() {}, restore() {}, options: {}, needs: "all" };',
    /expected 'needs': one of nothing, .*; found 'all'\.$/,
  ],
  [
    'export default { kind: "dataset", id: "exports", title: "T", version: 1, open() {}, options: {} };',
    /expected 'modality': one of text, image, vectors; found nothing\.$/,
  ],
  ['throw "early";', /it does not load: it threw "early"\.?$/],
  ['throw undefined;', /it does not load: it threw nothing\.?$/],
];

test(`${EXPORTS.length} files that are no plug-in`, async () => {
  for (const [i, [source, line]] of EXPORTS.entries()) {
    // A module is loaded once a process: each has a name of its own.
    const own = join(folder, `e${i}`, 'exports.mjs');
    mkdirSync(join(folder, `e${i}`));
    writeFileSync(own, source);
    try {
      await loadPlugin(own, openRegistry());
      assert.unreachable(source);
    } catch (error) {
      assert.instance(error, UserError, source);
      assert.ok((error as Error).message.startsWith(`plug-in ${own}: `));
      assert.match((error as Error).message, line);
    }
  }
});

test.run();
