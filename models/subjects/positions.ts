/** @file Positions of tokens: rotary tables, computed in float64 on the host, or learned vectors added to the embedding. */
import { type NamedTensors, type Tensor2D, tf, UserError } from '../../harness/contract.ts';
import type { RotaryTables } from '../../harness/kit/index.ts';
import type { ConfigReader } from './config.ts';
import { embed } from './layers.ts';

/** Llama 3's stretching of low frequencies; fields as in `rope_scaling`. */
export interface Llama3Scaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalLength: number;
}

/** LongRoPE (Ding et al. 2024, arXiv:2402.13753) up to the length that a model was first trained for; not beyond. */
export interface LongRope {
  length: number;
  /** The frequencies are divided by these, one each. */
  shortFactors: readonly number[];
  /** Queries and keys are multiplied by this. */
  attentionFactor: number;
}

export interface RotarySpec {
  theta: number;
  /** Positions are divided by this (`rope_type: linear`). */
  linearFactor?: number;
  llama3?: Llama3Scaling;
  longRope?: LongRope;
}

/** Angular frequencies of the headDim/2 pairs: theta^(−2i/headDim), rescaled where the spec says so. */
export function rotaryFrequencies(headDim: number, spec: RotarySpec): Float64Array {
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => spec.theta ** ((-2 * i) / headDim));
  if (spec.linearFactor) return frequencies.map((frequency) => frequency / spec.linearFactor!);
  if (spec.longRope) return frequencies.map((frequency, i) => frequency / spec.longRope!.shortFactors[i]!);
  return spec.llama3 ? frequencies.map((frequency) => stretch(frequency, spec.llama3!)) : frequencies;
}

/** Llama 3.1's rule: long waves are slowed by `factor`, short ones kept, and those between blended linearly. */
function stretch(frequency: number, scaling: Llama3Scaling): number {
  const turns = (scaling.originalLength * frequency) / (2 * Math.PI);
  const kept = (turns - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
  const share = Math.min(1, Math.max(0, kept));
  return share * frequency + ((1 - share) * frequency) / scaling.factor;
}

/** The section of a config that holds its rotary positions. @throws UserError where there are two, or one for each kind of layer. */
export function rotarySection(reader: ConfigReader): ConfigReader {
  if (reader.has('rope_parameters') && reader.has('rope_scaling')) {
    throw reader.wrong('rope_scaling', 'none beside rope_parameters, its name in newer files');
  }
  const section = reader.section(reader.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling');
  for (const kind of ['full_attention', 'sliding_attention']) {
    if (section.has(kind)) throw section.wrong(kind, 'the same positions for all layers');
  }
  return section;
}

/** Reads `rope_theta` and `rope_scaling` of transformers 4, or `rope_parameters` of 5. @throws UserError */
export function readRotary(reader: ConfigReader): RotarySpec {
  const scaling = rotarySection(reader);
  for (const each of [reader, scaling]) each.fixed('partial_rotary_factor', 1);
  return readScaling(scaling, scaling.has('rope_theta') ? undefined : reader.positive('rope_theta', 10000));
}

/**
 * How many of a head's numbers are turned, its first ones: the share that `field` says, in the first section that has it.
 *
 * @throws UserError for a share out of range or an odd number.
 */
export function partialWidth(sections: ConfigReader[], field: string, headDim: number, fallback: number): number {
  const reader = sections.find((section) => section.has(field)) ?? sections[0]!;
  const share = reader.positive(field, fallback);
  const width = Math.trunc(headDim * share);
  if (share <= 1 && width >= 2 && width % 2 === 0) return width;
  throw reader.wrong(field, `a share of a head's width ${headDim}, up to 1, that gives an even number`);
}

/** The kind of scaling that a section names, by the field of transformers 4 or 5. */
export function rotaryType<T extends string>(section: ConfigReader, known: readonly T[]): T | 'default' {
  return section.oneOf<T | 'default'>(
    section.has('rope_type') ? 'rope_type' : 'type',
    ['default', ...known],
    'default',
  );
}

/** Reads a section. @param theta Where it has none of its own. */
export function readScaling(scaling: ConfigReader, theta = scaling.positive('rope_theta')): RotarySpec {
  const type = rotaryType(scaling, ['linear', 'llama3']);
  if (type === 'default') return { theta };
  const factor = scaling.positive('factor');
  if (type === 'linear') return { theta, linearFactor: factor };
  return {
    theta,
    llama3: {
      factor,
      lowFreqFactor: scaling.positive('low_freq_factor'),
      highFreqFactor: scaling.positive('high_freq_factor'),
      originalLength: scaling.size('original_max_position_embeddings'),
    },
  };
}

/** Rotary positions of heads of one width. */
export interface Rotary {
  /** Cosines and sines of the angles of `positions` (whole numbers), one row each. */
  tables(positions: ArrayLike<number>): RotaryTables;
}

/** Tables grow by so many positions. */
const GROWTH = 128;

/** Keeps the angles of the positions asked for so far: every pass asks for the same ones again. */
export function createRotary(headDim: number, spec: RotarySpec): Rotary {
  const half = headDim / 2;
  const frequencies = rotaryFrequencies(headDim, spec);
  let cos = new Float32Array();
  let sin = new Float32Array();
  const scale = spec.longRope?.attentionFactor ?? 1;

  function grow(wanted: number): void {
    const count = Math.ceil(wanted / GROWTH) * GROWTH;
    cos = new Float32Array(count * half);
    sin = new Float32Array(count * half);
    for (let p = 0; p < count; p++) {
      for (let i = 0; i < half; i++) {
        const angle = p * frequencies[i]!;
        cos[p * half + i] = scale * Math.cos(angle);
        sin[p * half + i] = scale * Math.sin(angle);
      }
    }
  }

  return {
    tables(positions) {
      let count = 0;
      for (let p = 0; p < positions.length; p++) count = Math.max(count, positions[p]! + 1);
      const most = spec.longRope?.length ?? count;
      if (count > most) {
        throw new UserError(
          `texts: expected at most ${most} ids, up to which this model's longrope has one rule, found ${count}.`,
        );
      }
      if (cos.length < count * half) grow(count);
      const rowsOf = (all: Float32Array) => {
        const rows = new Float32Array(positions.length * half);
        for (let p = 0; p < positions.length; p++) {
          rows.set(all.subarray(positions[p]! * half, (positions[p]! + 1) * half), p * half);
        }
        return tf.tensor2d(rows, [positions.length, half]);
      };
      return { cos: rowsOf(cos), sin: rowsOf(sin) };
    },
  };
}

/**
 * How a model knows where tokens stand: it turns queries and keys, those of layers with a window by `localRotary` where
 * these have their own, or adds rows of a table to what it embeds.
 */
export type Positions = { rotary: Rotary; localRotary?: Rotary } | { table: string };

/**
 * Rows of the token table for ids [rows] → [rows, d], with those of the table of positions where there is one.
 *
 * @param names Of the tables, without `.weight`; `embedScale` multiplies rows of the token table.
 * @param positions Of the columns, or of each row where rows have one column: row r has position r mod their number.
 */
export function embedTokens(
  params: NamedTensors,
  names: { embed: string; positions: Positions; embedScale?: number },
  ids: Int32Array,
  positions: Int32Array,
): Tensor2D {
  const rows = embed(params, names.embed, ids);
  const words: Tensor2D = names.embedScale === undefined ? rows : tf.mul(rows, names.embedScale);
  if ('rotary' in names.positions || ids.length === 0) return words;
  const places = embed(params, names.positions.table, positions);
  const [count, d] = places.shape;
  return tf.reshape(tf.add(tf.reshape(words, [ids.length / count, count, d]), places), [ids.length, d]);
}
