/** @file Seeded mutations of files: of bytes, of JSON documents, of archives and PNGs with their checksums put right again. */
import { crc32, inflateRawSync } from 'node:zlib';
import { type Source, source } from '../against-cpu.ts';
import { zipOf } from '../zip.ts';

/** A changed copy. */
export type Mutation = (bytes: Buffer, from: Source) => Buffer;

const pick = <T>(from: Source, list: readonly T[]): T => list[from.int(list.length)]!;

/** Numbers that length fields hold in hostile files. */
const LENGTHS = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const BYTES: readonly Mutation[] = [
  (bytes, from) => {
    const out = Buffer.from(bytes);
    for (let n = 1 + from.int(8); n > 0; n--) out[from.int(out.length)]! ^= 1 << from.int(8);
    return out;
  },
  (bytes, from) => bytes.subarray(0, from.int(bytes.length)),
  (bytes, from) => {
    const at = from.int(bytes.length);
    const inserted = Buffer.from(Array.from({ length: 1 + from.int(16) }, () => from.int(256)));
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
  },
  (bytes, from) => {
    const at = from.int(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + from.int(16))]);
  },
  (bytes, from) => {
    const width = pick(from, [1, 2, 4, 8]);
    if (bytes.length <= width) return bytes;
    const out = Buffer.from(bytes);
    const field = Buffer.alloc(8, pick(from, [0, 0, 0xff]));
    field.writeUInt32LE(pick(from, LENGTHS));
    const written = field.subarray(0, width);
    (from.int(2) === 0 ? written : Buffer.from(written).reverse()).copy(out, from.int(out.length - width));
    return out;
  },
  (bytes, from) => {
    const [start, to] = [from.int(bytes.length), from.int(bytes.length)];
    const piece = bytes.subarray(start, start + 1 + from.int(64));
    return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(from.int(2) === 0 ? to : to + piece.length)]);
  },
  (bytes) => Buffer.concat([bytes, bytes]),
];

/** One or two changes of bytes. */
export const mutateBytes: Mutation = (bytes, from) => {
  let out = bytes;
  for (let n = 1 + from.int(2); n > 0 && out.length > 0; n--) out = pick(from, BYTES)(out, from);
  return out;
};

/** Stands for a text that no JSON value can be: it is put in its place after the document was written. */
const HOLE = '\u0001hole\u0001';

/** Texts that are put where a value was; two of them would be code, were anything run. */
const TEXTS: readonly string[] = [
  ...[
    'null',
    'true',
    '0',
    '-1',
    '0.5',
    '1e308',
    '1e999',
    '9007199254740993',
    '4294967296',
    '-0',
    '""',
    '[]',
    '{}',
    '[[]]',
  ],
  ...[
    '{"toString":1}',
    '{"valueOf":{}}',
    '{"length":1e9}',
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
  ],
  ...[
    '"(a+)+$"',
    '"\\\\p{L"',
    '"[\\u0000-\\uffff]{1,9999}"',
    '"../../../../etc/passwd"',
    '"/dev/zero"',
    '"a\\nb\\u001b[2J\\u202e"',
    '"\\ud800"',
  ],
  ...['"globalThis.fuzzRan=1"', '"constructor.constructor(\\"globalThis.fuzzRan=1\\")()"'],
];

function hostileText(from: Source): string {
  const kind = from.int(TEXTS.length + 4);
  if (kind < TEXTS.length) return TEXTS[kind]!;
  const levels = pick(from, [100, 199, 1000, 40_000]);
  if (kind === TEXTS.length) return '['.repeat(levels) + ']'.repeat(levels);
  if (kind === TEXTS.length + 1) return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  if (kind === TEXTS.length + 2) return JSON.stringify('x'.repeat(pick(from, [300, 100_000])));
  return `[${'1,'.repeat(pick(from, [100, 20_000]))}1]`;
}

type Node = Record<string, unknown> | unknown[];

/** Every object and list of a document. */
function nodesOf(value: unknown): Node[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Node, ...Object.values(value).flatMap(nodesOf)];
}

const KEYS = ['__proto__', 'constructor', 'toString', 'length', '', 'then', 'type'];

/** Changes one place of the document, in place; true where a hole was made. */
function mutateNode(root: Node, from: Source): boolean {
  const nodes = nodesOf(root).filter((node) => Object.keys(node).length > 0);
  if (nodes.length === 0) return false;
  const node = pick(from, nodes) as Record<string, unknown>;
  const key = pick(from, Object.keys(node));
  switch (from.int(6)) {
    case 0:
      delete node[key];
      return false;
    case 1: {
      const other = pick(from, nodes) as Record<string, unknown>;
      node[key] = structuredClone(other[pick(from, Object.keys(other))]);
      return false;
    }
    case 2: {
      if (typeof node[key] === 'number') node[key] = (node[key] as number) * pick(from, [-1, 1e9, 1e-9, 0.5, 0]);
      else
        Object.defineProperty(node, pick(from, Array.isArray(node) ? ['0', 'x'] : KEYS), {
          value: node[key],
          enumerable: true,
          configurable: true,
          writable: true,
        });
      return false;
    }
    default:
      node[key] = HOLE;
      return true;
  }
}

/** One to three changes of a JSON document, now and then a key that occurs twice, or changes of its bytes. */
export const mutateJson: Mutation = (bytes, from) => {
  if (from.int(5) === 0) return mutateBytes(bytes, from);
  const root = JSON.parse(bytes.toString('utf8')) as Node;
  if (from.int(30) === 0) return Buffer.from(hostileText(from));
  for (let n = 1 + from.int(3); n > 0; n--) mutateNode(root, from);
  let text = JSON.stringify(root).replaceAll(JSON.stringify(HOLE), () => hostileText(from));
  if (from.int(15) === 0) text = text.replace(/"(\w+)":/, '"$1":0,"$1":');
  return Buffer.from(text);
};

/** One value of one of the lines, or bytes anywhere. */
export const mutateLine: Mutation = (bytes, from) => {
  if (from.int(3) === 0) return mutateBytes(bytes, from);
  const lines = bytes.toString('utf8').trim().split('\n');
  const at = from.int(lines.length);
  lines[at] = mutateJson(Buffer.from(lines[at]!), from).toString('utf8');
  return Buffer.from(lines.join('\n'));
};

/** The members of a good archive. */
function membersOf(zip: Buffer): { name: string; content: Buffer; deflated: boolean }[] {
  const end = zip.lastIndexOf('PK\u0005\u0006');
  const members = [];
  for (let at = zip.readUInt32LE(end + 16), left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [deflated, size, nameLength] = [
      zip.readUInt16LE(at + 10) === 8,
      zip.readUInt32LE(at + 20),
      zip.readUInt16LE(at + 28),
    ];
    const header = zip.readUInt32LE(at + 42);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    const packed = zip.subarray(start, start + size);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    members.push({ name, content: deflated ? inflateRawSync(packed) : packed, deflated });
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return members;
}

/** Bytes of an archive, or of one of its members with sizes and checksums that fit. */
export const mutateZip: Mutation = (bytes, from) => {
  if (from.int(2) === 0) return mutateBytes(bytes, from);
  const members = membersOf(bytes);
  const member = members.find(({ name }) => name.endsWith('.pkl') && from.int(2) === 0) ?? pick(from, members);
  member.content = mutateBytes(member.content, from);
  return zipOf(members);
};

/** Bytes of a PNG, half of the time with the checksums of its parts put right. */
export const mutatePng: Mutation = (bytes, from) => {
  const out = Buffer.from(mutateBytes(bytes, from));
  if (from.int(2) === 0) return out;
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + out.readUInt32BE(at);
    if (end + 4 > out.length) break;
    out.writeUInt32BE(crc32(out.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return out;
};

/** A good set of files, one of which is changed. */
export interface Seed {
  files: Record<string, Buffer>;
  target: string;
}

/** Mutant `i`: the files of one of the seeds, and what becomes of its target. */
export function mutant(seeds: readonly Seed[], mutate: Mutation, seed: number, i: number): Seed & { changed: Buffer } {
  const from = source(seed * 7_368_787 + i);
  const { files, target } = pick(from, seeds);
  return { files, target, changed: mutate(files[target]!, from) };
}
