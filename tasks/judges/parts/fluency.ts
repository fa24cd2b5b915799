/** @file Fluency from the likelihood under the unsteered subject, on a scale calibrated with real and spoilt text. */
import { auroc, quantiles } from '../../../harness/kit/index.ts';
import type { Corruption } from './corruption.ts';
import { TWICE } from './repetition.ts';

/** What fluency is judged by. */
export interface TextLikelihood {
  /** Number of generated tokens. */
  tokens: number;
  /** Mean −ln p of a generated token given the prompt, under the unsteered subject, in nats; 0 for no tokens. */
  nll: number;
  /** What of it was said before: `repetition`. */
  repetition: number;
}

/** A text that calibrates: −ln p of each of its tokens, and how repetitive its first `tokens` are. */
export interface CalibrationText {
  losses: ArrayLike<number>;
  repetition(tokens: number): number;
}

/** Where grades begin and end for texts of one length. */
export interface FluencyLevel {
  /** Tokens of a text. */
  tokens: number;
  /** 2 up to this −ln p per token: 95 % of held-out real texts cut to that length. */
  fine: number;
  /**
   * 1 up to this: the best separation (Youden's J) of texts with noticeable errors from nonsense, but no more than 5 % of
   * nonsense, and never below `fine`.
   */
  passable: number;
  /** 0 above this repetition: half-way between the 99th percentile of real text and a text that says one thing twice. */
  repetition: number;
}

/** Thresholds of the scale by length, with how well they separate. Plain JSON. */
export interface FluencyScale {
  /** From one token to the most, doubling: the mean over few tokens varies more than over many. */
  levels: (FluencyLevel & {
    /** Real texts of that length used; each was also spoilt in every way. */
    texts: number;
    /** AUROCs of the calibration texts by likelihood. */
    separation: { realFromErrors: number; realFromNonsense: number; errorsFromNonsense: number };
    /** Scores 0, 1, 2 as shares of each kind of calibration text. */
    scores: Record<string, [number, number, number]>;
  })[];
}

const ERRORS: Corruption[] = ['swapped', 'replaced'];
const NONSENSE: Corruption[] = ['shuffled', 'random', 'salad'];

/**
 * 0 incomprehensible or repetitive, 1 noticeable errors, 2 as likely as real text of the same length. An empty text scores 0.
 * Between two lengths of the scale thresholds go with 1/√tokens, as the spread of a mean does.
 */
export function fluencyScore(scale: { levels: readonly FluencyLevel[] }, text: TextLikelihood): 0 | 1 | 2 {
  if (text.tokens === 0) return 0;
  const { fine, passable, repetition } = levelAt(scale.levels, text.tokens);
  if (text.repetition > repetition || text.nll > passable) return 0;
  return text.nll > fine ? 1 : 2;
}

function levelAt(levels: readonly FluencyLevel[], tokens: number): FluencyLevel {
  const above = levels.findIndex((level) => level.tokens >= tokens);
  if (above < 0) return levels.at(-1)!;
  const [low, high] = [levels[above - 1], levels[above]!];
  if (!low) return high;
  const spread = (count: number) => 1 / Math.sqrt(count);
  const share = (spread(low.tokens) - spread(tokens)) / (spread(low.tokens) - spread(high.tokens));
  const between = (name: keyof FluencyLevel) => low[name] + share * (high[name] - low[name]);
  return { tokens, fine: between('fine'), passable: between('passable'), repetition: between('repetition') };
}

/**
 * Calibrates the scale on held-out real texts and the same texts spoilt, each cut to 1, 2, 4, … tokens, at most `most`. A
 * length that fewer than half of the real texts have is left out.
 */
export function calibrateFluency(
  real: readonly CalibrationText[],
  spoilt: Record<Corruption, readonly CalibrationText[]>,
  most: number,
): FluencyScale {
  const doubling = Array.from({ length: Math.ceil(Math.log2(most)) }, (_, i) => 2 ** i);
  const lengths = [...doubling, most].filter(
    (tokens) => tokens === 1 || 2 * real.filter(({ losses }) => losses.length >= tokens).length >= real.length,
  );
  return { levels: lengths.map((tokens) => calibrated(tokens, real, spoilt)) };
}

function calibrated(
  tokens: number,
  real: readonly CalibrationText[],
  spoilt: Record<Corruption, readonly CalibrationText[]>,
): FluencyScale['levels'][number] {
  const cut = (texts: readonly CalibrationText[]): TextLikelihood[] =>
    texts
      .filter(({ losses }) => losses.length >= tokens)
      .map(({ losses, repetition }) => ({ tokens, nll: meanLoss(losses, tokens), repetition: repetition(tokens) }));
  const kinds = Object.entries({ real, ...spoilt }).map(([kind, texts]) => [kind, cut(texts)] as const);
  const own = Object.fromEntries(kinds);
  const nll = (names: readonly string[]) => names.flatMap((name) => own[name]!.map((text) => text.nll));
  const [right, errors, nonsense] = [nll(['real']), nll(ERRORS), nll(NONSENSE)];
  const [fine] = quantiles(right, [0.95]) as [number];
  const [usual] = quantiles(
    own['real']!.map(({ repetition }) => repetition),
    [0.99],
  ) as [number];
  const [least] = quantiles(nonsense, [0.05]) as [number];
  const level: FluencyLevel = {
    tokens,
    fine,
    passable: Math.max(fine, Math.min(least, bestCut(errors, nonsense))),
    repetition: Math.max(usual, (usual + TWICE) / 2),
  };
  const shares = (texts: readonly TextLikelihood[]): [number, number, number] => {
    const counts: [number, number, number] = [0, 0, 0];
    for (const text of texts) counts[fluencyScore({ levels: [level] }, text)]++;
    return counts.map((count) => Number((count / Math.max(1, texts.length)).toFixed(4))) as [number, number, number];
  };
  return {
    ...level,
    texts: right.length,
    separation: {
      realFromErrors: separation(right, errors),
      realFromNonsense: separation(right, nonsense),
      errorsFromNonsense: separation(errors, nonsense),
    },
    scores: Object.fromEntries(kinds.map(([kind, texts]) => [kind, shares(texts)])),
  };
}

/** Mean −ln p of a text's first `tokens`: the same sum for what calibrates and for what is judged by it. */
export function meanLoss(losses: ArrayLike<number>, tokens: number): number {
  let sum = 0;
  for (let i = 0; i < tokens; i++) sum += losses[i]! / tokens;
  return sum;
}

/** Probability that a value of `high` exceeds one of `low`, ties counting half. */
function separation(low: readonly number[], high: readonly number[]): number {
  return auroc([...low, ...high], Uint8Array.from([...low.map(() => 0), ...high.map(() => 1)])) ?? 0.5;
}

/** The cut with most of `low` at or below it and most of `high` above it (Youden's J), half-way to the next value. */
function bestCut(low: readonly number[], high: readonly number[]): number {
  const all = [
    ...low.map((value) => ({ value, gain: 1 / low.length })),
    ...high.map((value) => ({ value, gain: -1 / high.length })),
  ];
  all.sort((a, b) => a.value - b.value);
  let [gain, best, cut] = [0, -Infinity, all[0]!.value];
  all.forEach((entry, i) => {
    gain += entry.gain;
    const next = all[i + 1]?.value ?? entry.value;
    if (gain > best && (next > entry.value || i === all.length - 1)) [best, cut] = [gain, (entry.value + next) / 2];
  });
  return cut;
}
