/** @file A small board for the tests of submissions: a protocol of seconds with its reference, run once for all of a file's tests. */
import { mkdirSync, writeFileSync } from 'node:fs';
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
      activations: { train: 1500, test: 300 },
      training: { tokens: 6400 },
    },
  ],
  methods: [
    ...['topk', 'batchtopk'].map((id) => ({ id, options: { d_sae: 48, k: 5 }, training: { batchSize: 64 } })),
    { id: 'pca', options: { components: 5 } },
  ],
  tasks: [{ id: 'reconstruction' }],
  seeds: [0, 1],
};

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
  const { protocol, sizes } = await readProtocol(OWN_BOARD);
  const digest = protocolDigest((await loadSide(join(board, 'mini.jsonl'))).results, sizes);
  await atomicWriteJson(join(board, PROTOCOL_FILE), { protocol, suite: 'mini.json', sizes, digest });
  return board;
}
