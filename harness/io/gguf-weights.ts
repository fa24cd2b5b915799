/** @file The weights of a GGUF file under Hugging Face's names, in the order of rows that these have. */
import { UserError, unknownName } from '../errors.ts';
import { requireFinite } from './elements.ts';
import type { GgufFile } from './gguf.ts';
import { architectureOf, ROPE_FACTORS } from './gguf-config.ts';
import type { WeightSource } from './safetensors.ts';
import { sameShape } from './strided.ts';

const BLOCK = /^blk\.(\d+)\.(.+)$/;
const ENDING = /^(.+)(\.weight|\.bias)$/;

/** A tensor's place in the file, and what its rows are. */
interface Source {
  name: string;
  /** Heads whose rows llama.cpp has reordered. */
  heads?: number;
  /** A gain to which llama.cpp has added 1. */
  wholeGain?: boolean;
  /** A weight that Hugging Face's layout has as [in, out]. */
  transposed?: boolean;
  /** Heads of a fused layer whose rows llama.cpp has put together by what they are: queries, keys, values. */
  fusedHeads?: number;
}

/** The tensors by Hugging Face's names; one that the architecture does not know keeps its own, for a reader to refuse. */
function sourcesOf(file: GgufFile): Map<string, Source> {
  const architecture = architectureOf(file);
  const { id, tensors, block, interleaved = {}, wholeGains, transposed, fusedByKind } = architecture;
  const heads = Number(file.metadata.get(`${id}.attention.head_count`));
  const kvHeads = Number(file.metadata.get(`${id}.attention.head_count_kv`) ?? heads);
  const sources = new Map<string, Source>();
  for (const name of file.tensors.keys()) {
    // Read into the config.
    if (name === ROPE_FACTORS) continue;
    const [, layer, own = name] = BLOCK.exec(name) ?? [];
    const [, plain = own, ending = ''] = ENDING.exec(own) ?? [];
    if (!Object.hasOwn(tensors, plain)) {
      sources.set(name, { name });
      continue;
    }
    const prefix = layer === undefined ? '' : block(layer);
    const rows = Object.hasOwn(interleaved, plain) ? interleaved[plain] : undefined;
    sources.set(prefix + tensors[plain] + ending, {
      name,
      ...(rows === undefined ? {} : { heads: rows === 'queries' ? heads : kvHeads }),
      ...(wholeGains && name.endsWith('norm.weight') ? { wholeGain: true } : {}),
      ...(ending === '.weight' && transposed?.includes(plain) ? { transposed: true } : {}),
      ...(fusedByKind?.includes(plain) ? { fusedHeads: heads } : {}),
    });
  }
  return sources;
}

/**
 * Rows that llama.cpp put side by side because they turn together (0, 1), (2, 3), … back into Hugging Face's two halves
 * of a head (0, h), (1, h + 1), …
 */
function unpaired(values: Float32Array, rows: number, heads: number, where: string): Float32Array {
  const half = rows / heads / 2;
  if (!Number.isInteger(half)) {
    throw new UserError(`${where}: expected an even number of rows for each of ${heads} heads, found ${rows}.`);
  }
  const width = values.length / rows;
  const out = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (const side of [0, 1]) {
        const from = (2 * (head * half + i) + side) * width;
        out.set(values.subarray(from, from + width), (2 * head * half + side * half + i) * width);
      }
    }
  }
  return out;
}

/** Rows of all queries, then all keys, then all values, as Hugging Face's layout has them: those of each head together. */
function byHead(values: Float32Array, rows: number, heads: number, where: string): Float32Array {
  const size = rows / heads / 3;
  if (!Number.isInteger(size)) {
    throw new UserError(`${where}: expected as many rows for each of 3 × ${heads} parts of heads, found ${rows}.`);
  }
  const part = (values.length / rows) * size;
  const out = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let kind = 0; kind < 3; kind++) {
      const from = (kind * heads + head) * part;
      out.set(values.subarray(from, from + part), (head * 3 + kind) * part);
    }
  }
  return out;
}

/** [rows, columns] as [columns, rows]. */
function transpose(values: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}

/** A file's tensors as a Hugging Face folder of the same model holds them. */
export function ggufWeights(file: GgufFile): WeightSource {
  const sources = sourcesOf(file);
  const names = [...sources.keys()].sort();
  const find = (name: string) => {
    const source = sources.get(name);
    if (!source) throw unknownName(`tensor of ${file.path}`, name, names);
    const tensor = file.tensors.get(source.name)!;
    const shape = source.transposed ? [...tensor.shape].reverse() : tensor.shape;
    return { ...source, type: tensor.type, shape, stored: tensor.shape };
  };
  return {
    path: file.path,
    names,
    has: (name) => sources.has(name),
    info(name) {
      const { type, shape } = find(name);
      return { dtype: type.name, shape: [...shape] };
    },
    async readFloat(name, { expectShape, finite } = {}) {
      const { name: own, shape, stored, heads, wholeGain, transposed, fusedHeads } = find(name);
      const where = `gguf ${file.path}: tensor '${own}'`;
      if (expectShape && !sameShape(shape, expectShape)) {
        throw new UserError(`${where}: expected shape [${expectShape.join(', ')}], found [${shape.join(', ')}].`);
      }
      const values = await file.read(own);
      if (finite) requireFinite(values, where);
      if (wholeGain) return values.map((value) => value - 1);
      if (transposed && stored.length === 2) return transpose(values, [stored[0]!, stored[1]!]);
      if (fusedHeads !== undefined) return byHead(values, shape[0]!, fusedHeads, where);
      return heads === undefined ? values : unpaired(values, shape[0]!, heads, where);
    },
  };
}
