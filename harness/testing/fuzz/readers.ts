/** @file Every reader of files with good files to start from, what to change in them, and how a file is read. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readSettings } from '../../config/read.ts';
import { BYTE_SYMBOLS } from '../../io/byte-symbols.ts';
import { readCsvRecords } from '../../io/csv.ts';
import { openGguf } from '../../io/gguf.ts';
import { ggufConfig } from '../../io/gguf-config.ts';
import { ggufTokenizer } from '../../io/gguf-tokenizer.ts';
import { ggufWeights } from '../../io/gguf-weights.ts';
import { gpt2Tokenizer } from '../../io/gpt2-tokenizer.ts';
import { decodeImage } from '../../io/image.ts';
import { loadImagePreprocessing } from '../../io/image-preprocessing.ts';
import { readJsonl } from '../../io/jsonl.ts';
import { openNpz, readNpy } from '../../io/npy.ts';
import { countTypedArrays, readTable } from '../../io/parquet-table.ts';
import { openSafetensors } from '../../io/safetensors.ts';
import { loadTokenizer } from '../../io/tokenizer.ts';
import { openTorch } from '../../io/torch.ts';
import { openWeights } from '../../io/weights.ts';
import { packageRoot } from '../../paths.ts';
import { CHECKPOINT_READERS } from './checkpoint-readers.ts';
import { DOMAIN_READERS } from './domain-readers.ts';
import { mutateBytes, mutateJson, mutateLine, mutatePng, mutateZip, type Seed } from './mutate.ts';
import type { FuzzReader } from './reader.ts';

const TESTDATA = join(packageRoot, 'harness/io/testdata');
const SUBJECTS = join(packageRoot, 'models/subjects/testdata');

const golden = (...names: string[]) =>
  names.map((name): Seed => ({ files: { [name]: readFileSync(join(TESTDATA, name)) }, target: name }));
const alone = (name: string, ...contents: (string | Buffer)[]) =>
  contents.map((content): Seed => ({ files: { [name]: Buffer.from(content) }, target: name }));

/** A subject's folder with one of its files changed. */
function subject(folder: string, target: string, names: readonly string[]): Seed {
  const files = Object.fromEntries(
    [...names, target].map((name) => [name, readFileSync(join(SUBJECTS, folder, name))]),
  );
  return { files, target };
}

async function exhaust(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

async function tokenize(folder: string): Promise<void> {
  const tokenizer = await loadTokenizer(folder);
  const { ids, offsets } = tokenizer.encode(`the cat's  naïve 12 😀 ${'a'.repeat(300)} <s> \n x`, { maxLength: 50 });
  tokenizer.decode(ids, { skipSpecialTokens: offsets.length > 3 });
}

const SYMBOLS = [...BYTE_SYMBOLS, 'he', 'th', 'the', '<|endoftext|>'];
const VOCABULARY = JSON.stringify(Object.fromEntries(SYMBOLS.map((token, id) => [token, id])));
const MERGES = '#version: 0.2\nh e\nt h\nth e\n';
const CLIP_TEXT = `"bpe"\n${Array.from({ length: 200 }, (_, i) => `${SYMBOLS[i % 90]} ${SYMBOLS[(i * 7) % 90]}</w>`).join('\n')}\n`;

/** Activations dumped elsewhere: two parts, labels and a manifest. */
async function dump(target: string): Promise<Seed[]> {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3), }".padEnd(117);
  const npy = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
    Buffer.from(`${header}\n`),
    Buffer.from(Float32Array.from({ length: 120 }, (_, i) => Math.sin(i)).buffer),
  ]);
  const manifest = {
    files: ['part-0.npy'],
    labels: 'labels.csv',
    site: 'vision.embed',
    subject: 'clip',
    modality: 'image',
  };
  const labels = Array.from({ length: 40 }, (_, i) => `${'abc'[i % 3]},${i % 5 ? 'train' : 'test'}`);
  const files = {
    'part-0.npy': npy,
    'labels.csv': Buffer.from(`label,split\n${labels.join('\n')}\n`),
    'activations.json': Buffer.from(JSON.stringify(manifest)),
  };
  return [{ files, target }];
}

/** A small SAE in SAELens' layout. */
async function sae(): Promise<Seed[]> {
  const { writeSafetensors } = await import('../../io/safetensors-write.ts');
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-seed-'));
  const tensor = (...shape: number[]) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return { dtype: 'F32' as const, shape, data: Float32Array.from({ length: size }, (_, i) => Math.cos(i)) };
  };
  const path = join(folder, 'sae_weights.safetensors');
  await writeSafetensors(path, { W_enc: tensor(3, 5), W_dec: tensor(5, 3), b_enc: tensor(5), b_dec: tensor(3) });
  const weights = readFileSync(path);
  await rm(folder, { recursive: true });
  const common = { d_in: 3, d_sae: 5, dtype: 'float32', device: 'cpu', apply_b_dec_to_input: true };
  const metadata = { hook_name: 'blocks.0.hook_resid_post', model_name: 'tiny-lm-planted' };
  const configs = [
    { ...common, architecture: 'topk', k: 2, normalize_activations: 'none', metadata },
    { ...common, architecture: 'standard', normalize_activations: 'expected_average_only_in', metadata },
  ];
  return configs.map((config) => ({
    files: {
      'cfg.json': Buffer.from(JSON.stringify(config)),
      'sae_weights.safetensors': weights,
      'activation_scaler.json': Buffer.from('{"scaling_factor":2.5}'),
    },
    target: 'cfg.json',
  }));
}

async function images(...formats: ('jpeg' | 'webp' | 'gif' | 'tiff')[]): Promise<Seed[]> {
  const { default: sharp } = await import('sharp');
  const pixels = Buffer.from(Array.from({ length: 21 * 17 * 3 }, (_, i) => (i * 7919) % 251));
  const made = formats.map((format) =>
    sharp(pixels, { raw: { width: 21, height: 17, channels: 3 } })
      .toFormat(format)
      .toBuffer(),
  );
  return (await Promise.all(made)).flatMap((bytes) => alone('x.img', bytes));
}

async function readSuite(nameOrPath: string): Promise<void> {
  const { openRegistry } = await import('../../registry.ts');
  const { loadSuite } = await import('../../suite/load.ts');
  const { checkSuite } = await import('../../suite/check.ts');
  const { suite, baseDir } = await loadSuite(nameOrPath);
  await checkSuite(suite, baseDir, openRegistry());
}

const LLAMA = ['tokenizer.json', 'tokenizer_config.json', 'model.safetensors', 'config.json'];
const setBudget: { now?: (bytes: number) => void } = {};

export const FUZZ_READERS: Record<string, FuzzReader> = {
  safetensors: {
    seeds: async () => golden('tiny.golden.safetensors'),
    mutate: mutateBytes,
    read: async (file) => (await openSafetensors(file)).readAll({ finite: true }),
  },
  'safetensors header': {
    seeds: async () =>
      alone(
        'header.json',
        '{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"y":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}',
      ),
    mutate: (bytes, from) => {
      const header = mutateJson(bytes, from);
      const length = Buffer.alloc(8);
      length.writeUInt32LE(header.length);
      return Buffer.concat([length, header, Buffer.alloc(32)]);
    },
    read: async (file) => (await openSafetensors(file)).readAll(),
  },
  'weights index': {
    seeds: async () => [
      subject(
        'llama-sharded',
        'model.safetensors.index.json',
        [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`),
      ),
    ],
    mutate: mutateJson,
    read: async (_, folder) => {
      const weights = await openWeights(folder);
      for (const name of weights.names) await weights.readFloat(name);
    },
  },
  gguf: {
    seeds: async () => golden('gguf-llama.golden.gguf', 'gguf-blocks.golden.gguf', 'gguf-llama.golden.gguf'),
    // Mostly the header, where the sizes and names are.
    mutate: (bytes, from) => Buffer.concat([mutateBytes(bytes.subarray(0, 12_000), from), bytes.subarray(12_000)]),
    read: async (file) => {
      const gguf = await openGguf(file);
      ggufTokenizer(gguf);
      await ggufConfig(gguf);
      const weights = ggufWeights(gguf);
      for (const name of weights.names.slice(0, 3)) await weights.readFloat(name, { finite: true });
    },
  },
  npy: { seeds: async () => golden('plain.golden.npy'), mutate: mutateBytes, read: readNpy },
  npz: {
    seeds: async () => golden('arrays.golden.npz', 'deflated.golden.npz'),
    mutate: mutateZip,
    read: async (file) => {
      const npz = await openNpz(file);
      for (const name of npz.names) {
        await npz.info(name);
        await npz.read(name);
      }
    },
  },
  torch: {
    seeds: async () => golden('state.golden.pt', 'state.golden.pt', 'hostile.golden.pt', 'whole.golden.pt'),
    mutate: mutateZip,
    read: async (file) => {
      const torch = await openTorch(file);
      for (const name of torch.names) await torch.read(name, { finite: true });
    },
  },
  parquet: {
    seeds: async () => golden('plain.golden.parquet', 'nested.golden.parquet'),
    mutate: mutateBytes,
    read: async (file) => {
      setBudget.now ??= countTypedArrays();
      setBudget.now(192 * 2 ** 20);
      await readTable(file, {}, () => undefined).catch((error: Error) => {
        if (!(error instanceof Error)) throw error;
      });
    },
    limited: async (file) => (await import('../../io/parquet.ts')).readParquet(file),
  },
  csv: {
    seeds: async () => [
      ...alone('x.csv', 'text,label,n\n"a ""b""",x,1\r\n"line\nbreak",y,2\n'),
      ...alone('x.tsv', 'a\tb\n"q\tz\n'),
    ],
    mutate: mutateBytes,
    read: async (file) => exhaust(readCsvRecords(file)),
  },
  jsonl: {
    seeds: async () => alone('x.jsonl', '{"text":"a","n":1,"l":[1,{"a":null}]}\n{"text":"b","n":2}\n'),
    mutate: mutateLine,
    read: async (file) => exhaust(readJsonl(file)),
  },
  png: {
    seeds: async () => golden('rgb.golden.png', 'rgba.golden.png', 'palette.golden.png', 'grey.golden.png'),
    mutate: mutatePng,
    read: (file) => decodeImage(file),
  },
  'other images': {
    seeds: () => images('jpeg', 'webp', 'gif', 'tiff'),
    mutate: mutateBytes,
    read: (file) => decodeImage(file),
  },
  'preprocessor_config.json': {
    seeds: async () => [subject('clip-quick-gelu', 'preprocessor_config.json', [])],
    mutate: mutateJson,
    read: (_, folder) => loadImagePreprocessing(folder),
  },
  'tokenizer.json': {
    seeds: async () => {
      const { json } = gpt2Tokenizer(JSON.parse(VOCABULARY) as Record<string, number>, ['h e', 't h', 'th e']);
      const tinyLm = readFileSync(join(packageRoot, 'models/pretrained/tiny-lm-planted/tokenizer.json'));
      const clip = subject('clip-quick-gelu', 'tokenizer.json', ['tokenizer_config.json']);
      return [
        ...alone('tokenizer.json', JSON.stringify(json), tinyLm),
        clip,
        subject('llama-bf16', 'tokenizer.json', []),
      ];
    },
    mutate: mutateJson,
    read: (_, folder) => tokenize(folder),
  },
  'tokenizer_config.json': {
    seeds: async () => [subject('llama-bf16', 'tokenizer_config.json', ['tokenizer.json'])],
    mutate: mutateJson,
    read: (_, folder) => tokenize(folder),
  },
  'vocab.json': {
    seeds: async () => [
      { files: { 'vocab.json': Buffer.from(VOCABULARY), 'merges.txt': Buffer.from(MERGES) }, target: 'vocab.json' },
    ],
    mutate: mutateJson,
    read: (_, folder) => tokenize(folder),
  },
  'merges.txt': {
    seeds: async () => [
      { files: { 'vocab.json': Buffer.from(VOCABULARY), 'merges.txt': Buffer.from(MERGES) }, target: 'merges.txt' },
    ],
    mutate: mutateBytes,
    read: (_, folder) => tokenize(folder),
  },
  'bpe_simple_vocab_16e6.txt': {
    seeds: async () => [
      ...alone('bpe_simple_vocab_16e6.txt', CLIP_TEXT),
      ...alone('bpe_simple_vocab_16e6.txt.gz', gzipSync(CLIP_TEXT)),
    ],
    mutate: mutateBytes,
    read: (_, folder) => tokenize(folder),
  },
  'model config': {
    seeds: async () => [
      subject('llama-bf16', 'config.json', LLAMA),
      subject('clip-quick-gelu', 'config.json', [...LLAMA, 'preprocessor_config.json']),
      subject('gpt2', 'config.json', ['model.safetensors', 'vocab.json', 'merges.txt']),
    ],
    mutate: mutateJson,
    read: async (_, folder) => {
      const { openRegistry } = await import('../../registry.ts');
      const { initBackend } = await import('../../num/backend.ts');
      const { familyOf } = await import('../../suite/subjects.ts');
      await initBackend('cpu');
      const family = await familyOf(folder, openRegistry());
      await family.outline!(folder);
      (await family.load(folder, { id: 'mutant' })).dispose();
    },
  },
  'sae cfg.json': {
    seeds: sae,
    mutate: mutateJson,
    read: async (file, folder) => {
      const { validate } = await import('../../schema/validate.ts');
      const { readSaeLens } = await import('../../checkpoints/layouts/saelens.ts');
      const { readJson } = await import('../../io/json.ts');
      await readSaeLens(folder);
      await validate('sae-config', await readJson(file, 'saelens'), 'saelens');
    },
  },
  ...CHECKPOINT_READERS,
  ...DOMAIN_READERS,
  suite: {
    // A thread opens the datasets for the first time here, where no clock runs: cold, that alone takes seconds.
    seeds: async () => {
      await readSuite('default');
      return alone('default.json', readFileSync(join(packageRoot, 'tasks/suites/default.json')));
    },
    mutate: mutateJson,
    read: readSuite,
  },
  result: {
    seeds: async () => {
      const lines = (await readFile(join(packageRoot, 'reports/results/variants.jsonl'), 'utf8')).trim().split('\n');
      return alone(
        'seed-0.json',
        lines.reduce((short, line) => (line.length < short.length ? line : short)),
      );
    },
    mutate: mutateJson,
    read: async (file) => (await import('../../results.ts')).readResult(file),
  },
  submission: {
    seeds: async () => {
      const { environmentOf } = await import('../../../reports/submitted/check.ts');
      const { SUBMISSION_SCHEMA, sealedSubmission } = await import('../../../reports/submitted/file.ts');
      const { smallRun } = await import('../../../reports/testing/results.ts');
      const sizeOf = (value: object) => JSON.stringify(value).length;
      const result = smallRun().reduce((short, each) => (sizeOf(each) < sizeOf(short) ? each : short));
      const hash = '0'.repeat(64);
      const submission = sealedSubmission({
        ...{ schema: SUBMISSION_SCHEMA, protocol: '2027.1', name: 'mine', kind: 'sae', licence: 'MIT', citation: 'me' },
        ...{ tuning: 'nothing', source: { files: [{ path: 'mine.ts', bytes: 1, sha256: hash }] }, leftOut: [] },
        ...{ weights: [{ subject: 'a', site: 'b', seed: 0, sha256: hash }], seeds: [0], checks: ['contract'] },
        ...{ environment: environmentOf(result), results: [result] },
      });
      return alone('mine.json', JSON.stringify(submission));
    },
    mutate: mutateJson,
    read: async (file) => (await import('../../../reports/submitted/file.ts')).readSubmission(file),
  },
  history: {
    seeds: async () => {
      const { historyRows } = await import('../../../reports/history.ts');
      const { smallRun } = await import('../../../reports/testing/results.ts');
      const rows = historyRows(smallRun(), new Date(0), 'fuzz').slice(0, 3);
      return alone('history.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    },
    mutate: mutateLine,
    read: async (file) => {
      const { historyView, readHistory } = await import('../../../reports/history.ts');
      const rows = await readHistory(file);
      return rows.length > 0 && historyView(rows);
    },
  },
  settings: {
    seeds: async () =>
      alone('saxbench.config.json', '{"limit":5,"seed":1,"only":["methods=topk"],"backend":"native","progress":false}'),
    mutate: mutateJson,
    read: (file) => readSettings('run', { config: file }, {}),
  },
  'activations.json': {
    seeds: () => dump('activations.json'),
    mutate: mutateJson,
    read: async (_, folder) => (await import('../../activations/import.ts')).openImport(folder),
  },
  'labels.csv': {
    seeds: () => dump('labels.csv'),
    mutate: mutateBytes,
    read: async (_, folder) => (await import('../../activations/import.ts')).openImport(folder),
  },
};
