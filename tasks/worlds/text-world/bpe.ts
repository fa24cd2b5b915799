/** @file Byte-level byte-pair encoding: training merges and writing a Hugging Face tokenizer.json. */

/** What cuts a text into words before merging: letters, single digits, symbols, each with one space before at most. */
export const WORD_PATTERN = '\\n| ?\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s';

/** The printable character for each byte, as in GPT-2 (Radford et al. 2019): printable bytes stand for themselves. */
export function byteAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let shifted = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : shifted++));
}

/** Words of a text in byte-alphabet characters. */
export function pretokenize(text: string, alphabet: readonly string[]): string[] {
  const encoder = new TextEncoder();
  return [...text.matchAll(new RegExp(WORD_PATTERN, 'gu'))].map(([word]) =>
    Array.from(encoder.encode(word), (byte) => alphabet[byte]!).join(''),
  );
}

/** A trained vocabulary: tokens in id order, and merges in order of priority. */
export interface Bpe {
  readonly vocab: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Learns merges (Sennrich et al. 2016) until the vocabulary has `vocabSize` tokens. Ties go to the pair that comes
 * first in code-unit order, so the result depends on the counts only.
 */
export function trainBpe(
  counts: ReadonlyMap<string, number>,
  specials: readonly string[],
  vocabSize: number,
  minCount: number,
): Bpe {
  const alphabet = byteAlphabet();
  const words = [...counts]
    .filter(([, count]) => count >= minCount)
    .map(([word, count]) => ({ pieces: [...word], count }));
  const vocab = [...specials, ...alphabet];
  const merges: [string, string][] = [];
  while (vocab.length < vocabSize) {
    const pairCounts = new Map<string, number>();
    for (const { pieces, count } of words) {
      for (let i = 0; i + 1 < pieces.length; i++) {
        const pair = `${pieces[i]} ${pieces[i + 1]}`;
        pairCounts.set(pair, (pairCounts.get(pair) ?? 0) + count);
      }
    }
    let best: string | null = null;
    let bestCount = 0;
    for (const [pair, count] of pairCounts) {
      if (count > bestCount || (count === bestCount && best !== null && pair < best)) {
        best = pair;
        bestCount = count;
      }
    }
    if (best === null) break;
    const [left, right] = best.split(' ') as [string, string];
    merges.push([left, right]);
    vocab.push(left + right);
    for (const word of words) word.pieces = mergePair(word.pieces, left, right);
  }
  return { vocab, merges };
}

function mergePair(pieces: string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(pieces[i]!);
  }
  return out;
}

/** The contents of a Hugging Face `tokenizer.json` that puts `bos` before every text. */
export function tokenizerJson(bpe: Bpe, specials: readonly string[], bos: string): object {
  const idOf = new Map(bpe.vocab.map((token, id) => [token, id]));
  const special = (content: string): object => ({
    id: idOf.get(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const withBos = (id: string): object[] => [
    { SpecialToken: { id: bos, type_id: 0 } },
    { Sequence: { id, type_id: 0 } },
  ];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map(special),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD_PATTERN }, behavior: 'Isolated', invert: false },
        byteLevel,
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: withBos('A'),
      pair: [...withBos('A'), ...withBos('B')],
      special_tokens: { [bos]: { id: bos, ids: [idOf.get(bos)], tokens: [bos] } },
    },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(idOf),
      merges: bpe.merges,
    },
  };
}
