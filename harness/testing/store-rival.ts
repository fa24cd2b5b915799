/**
 * @file One of several processes that want the same steps, for a test of the store: `store-rival.ts ROOT`. Told a list of
 * keys, it computes them all at once and tells which of them it computed and what it was given.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../store.ts';

/** What a rival tells of a key. */
export interface RivalReport {
  key: string;
  computed: boolean;
  /** Contents of the step's files: whoever wrote them. */
  writers: string[];
  /** What the step says about itself. */
  writer: string;
}

const FILES = 4;

async function compute(root: string, key: string): Promise<RivalReport> {
  const me = `process ${process.pid}`;
  let made = false;
  const { folder, meta } = await openStore(root, () => {}).compute('fit', key, async (own) => {
    made = true;
    for (let file = 0; file < FILES; file++) await writeFile(join(own, `part-${file}`), me);
    return { writer: me };
  });
  const parts = (await readdir(folder)).filter((name) => name.startsWith('part-'));
  const writers = await Promise.all(parts.map((name) => readFile(join(folder, name), 'utf8')));
  return { key, computed: made, writers, writer: String(meta['writer']) };
}

if (process.argv[1]?.endsWith('store-rival.ts')) {
  const root = process.argv[2]!;
  process.on('message', async (keys: string[]) => {
    process.send!(await Promise.all(keys.map((key) => compute(root, key))));
  });
  process.send!('ready');
}
