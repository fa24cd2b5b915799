/** @file Fluency from the likelihood under the unsteered subject, on a scale calibrated with real and spoilt text. */
import { auroc, quantiles } from '../../../harness/kit/index.ts';
import type { Corruption } from './corruption.ts';

/** What fluency is judged by. */
export interface TextLikelihood {
  /** Number of generated tokens. */
  tokens: number;
  /** Mean −ln p of a generated token given the prompt, under the unsteered subject, in nats; 0 for no tokens. */
  nll: number;
  /** Share of runs of three tokens that occurred before. */
  repetition: number;
}

/** Thresholds of the scale, with how well they separate. Plain JSON. */
export interface FluencyScale {
  /** 2 up to this −ln p per token: 95 % of held-out real texts. */
  fine: number;
  /** 1 up to this: best separation (Youden's J) of texts with noticeable errors from nonsense, never below `fine`. */
  passable: number;
  /** 0 above this share of repeated runs: half-way between the 99th percentile of real text and the median of repetitive text. */
  repetition: number;
  /** AUROCs of the calibration texts: by likelihood, and real against repetitive by repetition. */
  separation: {
    realFromErrors: number;
    realFromNonsense: number;
    errorsFromNonsense: number;
    realFromRepetitive: number;
  };
  /** Scores 0, 1, 2 as shares of each kind of calibration text. */
  scores: Record<string, [number, number, number]>;
  /** Real texts used; each was also spoilt in every way. */
  texts: number;
}

const ERRORS: Corruption[] = ['swapped', 'replaced'];
const NONSENSE: Corruption[] = ['shuffled', 'random'];

/** 0 incomprehensible or repetitive, 1 noticeable errors, 2 as likely as real text. An empty text scores 0. */
export function fluencyScore(
  scale: Pick<FluencyScale, 'fine' | 'passable' | 'repetition'>,
  text: TextLikelihood,
): 0 | 1 | 2 {
  if (text.tokens === 0 || text.repetition > scale.repetition || text.nll > scale.passable) return 0;
  return text.nll > scale.fine ? 1 : 2;
}

/** Calibrates the scale on held-out real texts and the same texts spoilt. */
export function calibrateFluency(
  real: readonly TextLikelihood[],
  spoilt: Record<Corruption, readonly TextLikelihood[]>,
): FluencyScale {
  const nll = (texts: readonly TextLikelihood[]) => texts.map((text) => text.nll);
  const errors = ERRORS.flatMap((kind) => nll(spoilt[kind]));
  const nonsense = NONSENSE.flatMap((kind) => nll(spoilt[kind]));
  const repetition = (texts: readonly TextLikelihood[]) => texts.map((text) => text.repetition);
  const [fine] = quantiles(nll(real), [0.95]) as [number];
  const [usual] = quantiles(repetition(real), [0.99]) as [number];
  const [repetitive] = quantiles(repetition(spoilt.repeated), [0.5]) as [number];
  const thresholds = {
    fine,
    passable: Math.max(fine, bestCut(errors, nonsense)),
    repetition: Math.max(usual, (usual + repetitive) / 2),
  };
  const shares = (texts: readonly TextLikelihood[]): [number, number, number] => {
    const counts: [number, number, number] = [0, 0, 0];
    for (const text of texts) counts[fluencyScore(thresholds, text)] += 1 / texts.length;
    return counts;
  };
  return {
    ...thresholds,
    separation: {
      realFromErrors: separation(nll(real), errors),
      realFromNonsense: separation(nll(real), nonsense),
      errorsFromNonsense: separation(errors, nonsense),
      realFromRepetitive: separation(repetition(real), repetition(spoilt.repeated)),
    },
    scores: {
      real: shares(real),
      ...Object.fromEntries(Object.entries(spoilt).map(([kind, texts]) => [kind, shares(texts)])),
    },
    texts: real.length,
  };
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
