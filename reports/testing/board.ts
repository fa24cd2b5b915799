/** @file Small boards for the tests of submissions: a protocol of seconds with its reference, and a part of saxbench's own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWriteJson } from '../../harness/io/atomic.ts';
import { runCommand } from '../../harness/testing/command-line.ts';
import { loadSide, writeBaseline } from '../compare/load.ts';
import { OWN_BOARD, PROTOCOL_FILE, protocolDigest, readProtocol } from '../submitted/board.ts';

const SUITE = {
  id: 'mini',
  title: 'Mini',
  subjects: [
    {
      id: 'world',
      sites: ['features'],
      dataset: { id: 'features', options: { world: 'small' } },
      activations: { train: 300, test: 100 },
      training: { tokens: 1600 },
    },
  ],
  methods: [
    { id: 'topk', options: { d_sae: 48, k: 5 }, training: { batchSize: 64 } },
    { id: 'pca', options: { components: 5 } },
  ],
  tasks: [{ id: 'reconstruction' }],
  seeds: [0, 1],
};

/** Writes a protocol for reference results that lie in `board` as `<suite>.jsonl`. */
async function writeProtocol(board: string, suite: string): Promise<void> {
  const { protocol, sizes } = await readProtocol(OWN_BOARD);
  const { results } = await loadSide(join(board, `${suite.replace(/\.json$/, '')}.jsonl`));
  const digest = protocolDigest(results, sizes);
  await atomicWriteJson(join(board, PROTOCOL_FILE), { protocol, suite, sizes, digest });
}

/** A part of saxbench's own board: these methods of its reference. Returns its folder. */
export async function partOfBoard(folder: string, methods: readonly string[]): Promise<string> {
  const { suite } = await readProtocol(OWN_BOARD);
  const lines = readFileSync(join(OWN_BOARD, `${suite}.jsonl`), 'utf8').split('\n');
  const kept = lines.filter((line) => methods.some((id) => line.includes(`"name":"${id}"`)));
  writeFileSync(join(folder, `${suite}.jsonl`), kept.map((line) => `${line}\n`).join(''));
  await writeProtocol(folder, suite);
  return folder;
}

/** Runs the suite into `folder` and makes it the reference of a board there. Returns the board's folder. */
export async function makeBoard(folder: string, backend = 'native'): Promise<string> {
  const board = join(folder, 'board');
  mkdirSync(board, { recursive: true });
  const file = join(board, 'mini.json');
  writeFileSync(file, JSON.stringify(SUITE));
  const [out, store] = [join(folder, 'reference'), join(folder, 'reference-store')];
  await runCommand('run', file, '--out', out, '--store', store, '--backend', backend, '--no-progress');
  const side = await loadSide(out);
  await writeBaseline(board, side);
  await writeProtocol(board, 'mini.json');
  return board;
}
