/**
 * @file Character spans of tokens. The tokenizer library gives none, so the tokens' own bytes are aligned with the
 * bytes of the text, through the normalisation that the tokenizer applies (lower case, Unicode forms, spaces).
 */

import { SYMBOL_BYTES } from './byte-symbols.ts';

/** How tokens spell text; derived once from a tokenizer.json. */
export interface TokenSpelling {
  /** Token characters stand for bytes (GPT-2, CLIP). */
  byteLevel: boolean;
  /** `▁` stands for a space. */
  metaspace: boolean;
  /** `<0x41>` stands for a byte. */
  byteFallback: boolean;
  /** Ends the last token of a word (`</w>`), or empty. */
  suffix: string;
  /** Begins the later tokens of a word (`##`), or empty. */
  prefix: string;
  /** Unicode normalisation forms, in order. */
  forms: string[];
  lowercase: boolean;
  stripAccents: boolean;
  /** Contents of added tokens by their token string; spelled as they are. */
  added: ReadonlySet<string>;
  unknown: string | undefined;
}

/** Every stage of a tokenizer.json's tree, sequences flattened. */
function stages(node: unknown): Record<string, unknown>[] {
  if (typeof node !== 'object' || node === null) return [];
  const stage = node as Record<string, unknown>;
  const nested = ['normalizers', 'pretokenizers', 'decoders'].flatMap(
    (key) => (stage[key] as unknown[] | undefined) ?? [],
  );
  return [stage, ...nested.flatMap(stages)];
}

/** Derive the spelling from a tokenizer.json document. */
export function tokenSpelling(json: Record<string, unknown>): TokenSpelling {
  const all = [json['normalizer'], json['pre_tokenizer'], json['decoder']].flatMap(stages);
  const types = new Set(all.map((stage) => stage['type']));
  const model = json['model'] as Record<string, unknown>;
  const added = (json['added_tokens'] as { content: string }[]).map((token) => token.content);
  const bert = all.find((stage) => stage['type'] === 'BertNormalizer');
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    byteLevel: types.has('ByteLevel'),
    metaspace: types.has('Metaspace') || all.some((stage) => JSON.stringify(stage['pattern'] ?? '').includes('▁')),
    byteFallback: model['byte_fallback'] === true,
    suffix: text(model['end_of_word_suffix']),
    prefix: model['type'] === 'WordPiece' ? text(model['continuing_subword_prefix'] ?? '##') : '',
    forms: all.map((stage) => String(stage['type'])).filter((type) => /^NFK?[CD]$/.test(type)),
    lowercase: types.has('Lowercase') || bert?.['lowercase'] === true,
    stripAccents:
      types.has('StripAccents') || (bert !== undefined && (bert['strip_accents'] ?? bert['lowercase']) === true),
    added: new Set(added),
    unknown: text(model['unk_token']) || undefined,
  };
}

const SPACE = 0x20;
const encoder = new TextEncoder();

/** The bytes that a token contributes to the (normalised) text. */
function tokenBytes(token: string, spelling: TokenSpelling): Uint8Array {
  if (spelling.added.has(token)) return encoder.encode(token);
  if (spelling.byteFallback && /^<0x[0-9A-F]{2}>$/.test(token))
    return Uint8Array.of(Number.parseInt(token.slice(3, 5), 16));
  let text = token;
  if (spelling.suffix && text.endsWith(spelling.suffix)) text = text.slice(0, -spelling.suffix.length);
  if (spelling.prefix && text.startsWith(spelling.prefix)) text = text.slice(spelling.prefix.length);
  if (spelling.byteLevel) {
    const symbols = [...text].map((symbol) => SYMBOL_BYTES.get(symbol));
    if (symbols.every((byte) => byte !== undefined)) return Uint8Array.from(symbols as number[]);
  }
  return encoder.encode(spelling.metaspace ? text.replaceAll('▁', ' ') : text);
}

/** The normalised bytes of a text, each with the span of original UTF-16 units that it comes from. */
interface SpelledText {
  bytes: number[];
  starts: number[];
  ends: number[];
}

/** A base character with its combining marks: the unit within which Unicode normalisation works. */
const CLUSTER = /\P{M}\p{M}*|\p{M}+/gsu;

function spellText(text: string, spelling: TokenSpelling): SpelledText {
  const out: SpelledText = { bytes: [], starts: [], ends: [] };
  const push = (piece: string, start: number, end: number) => {
    for (const byte of encoder.encode(piece)) {
      out.bytes.push(byte);
      out.starts.push(start);
      out.ends.push(end);
    }
  };
  const normalise = (piece: string) => {
    let result = spelling.forms.reduce((value, form) => value.normalize(form), piece);
    if (spelling.lowercase) result = result.toLowerCase();
    if (spelling.stripAccents) result = result.normalize('NFD').replace(/\p{Mn}/gu, '');
    return result;
  };
  for (const match of text.matchAll(CLUSTER)) {
    const cluster = match[0];
    const changed = normalise(cluster);
    const sources = [...cluster];
    const targets = [...changed];
    if (sources.length !== targets.length) {
      push(changed, match.index, match.index + cluster.length);
      continue;
    }
    let at = match.index;
    for (let i = 0; i < sources.length; i++) {
      push(targets[i]!, at, at + sources[i]!.length);
      at += sources[i]!.length;
    }
  }
  return out;
}

/** White space in the text that no token spells is skipped. */
function isSpace(bytes: readonly number[], at: number): boolean {
  const byte = bytes[at]!;
  return byte === SPACE || (byte >= 9 && byte <= 13);
}

/** Bytes searched for the next match when a token cannot be matched where it should be. */
const RESYNC_BYTES = 4096;

/** Position at or after `from` where all `needle` bytes stand, or -1. */
function find(bytes: readonly number[], needle: Uint8Array, from: number): number {
  if (needle.length === 0) return -1;
  const last = Math.min(bytes.length - needle.length, from + RESYNC_BYTES);
  for (let at = from; at <= last; at++) {
    let same = 0;
    while (same < needle.length && bytes[at + same] === needle[same]) same += 1;
    if (same === needle.length) return at;
  }
  return -1;
}

/** End position after matching `needle` at `from` (skipping unspelled white space before it), or -1. */
function matchAt(
  bytes: readonly number[],
  needle: Uint8Array,
  from: number,
): { start: number; end: number } | undefined {
  let start = from;
  if (needle.length === 0) return { start, end: start };
  while (start < bytes.length && isSpace(bytes, start) && bytes[start] !== needle[0]) start += 1;
  for (let i = 0; i < needle.length; i++) if (bytes[start + i] !== needle[i]) return undefined;
  return { start, end: start + needle.length };
}

/**
 * Spans `[start, end)` of UTF-16 units for the tokens of a text (special tokens around it not included). A leading
 * space belongs to the token that spells it; a space that the tokenizer inserted has no place in the text; the bytes
 * of one character that were split over several tokens all get the whole character. An unknown token spans the text
 * up to the next token.
 */
export function tokenOffsets(text: string, tokens: readonly string[], spelling: TokenSpelling): [number, number][] {
  const { bytes, starts, ends } = spellText(text, spelling);
  const needles = tokens.map((token) => tokenBytes(token, spelling));
  const span = (from: number, to: number): [number, number] =>
    to > from ? [starts[from]!, ends[to - 1]!] : [starts[from] ?? text.length, starts[from] ?? text.length];
  const out: [number, number][] = [];
  let at = 0;
  for (let i = 0; i < tokens.length; i++) {
    let needle = needles[i]!;
    let found = matchAt(bytes, needle, at);
    if (inserted(bytes, needles, i, at) || (found === undefined && needle[0] === SPACE)) {
      needle = needle.subarray(1);
      found = matchAt(bytes, needle, at);
    }
    if (found === undefined) {
      const isUnknown = tokens[i] === spelling.unknown;
      const jump = isUnknown ? -1 : find(bytes, needle, at);
      if (jump >= 0) found = { start: jump, end: jump + needle.length };
      else {
        const next = needles[i + 1] === undefined ? bytes.length : find(bytes, needles[i + 1]!, at + 1);
        found = { start: at, end: isUnknown ? (next < 0 ? at + 1 : next) : at };
      }
    }
    out.push(span(found.start, found.end));
    at = found.end;
  }
  return out;

  /** At the start of a section the tokens spell one space more than the text has: the tokenizer put it there. */
  function inserted(source: readonly number[], all: readonly Uint8Array[], index: number, from: number): boolean {
    const sectionStart = index === 0 || spelling.added.has(tokens[index - 1]!);
    if (!sectionStart || all[index]![0] !== SPACE) return false;
    let inText = 0;
    while (source[from + inText] === SPACE) inText += 1;
    let inTokens = 0;
    for (let k = index; k < all.length; k++) {
      const rest = all[k]!.findIndex((byte) => byte !== SPACE);
      inTokens += rest < 0 ? all[k]!.length : rest;
      if (rest >= 0) break;
    }
    return inTokens === inText + 1;
  }
}
