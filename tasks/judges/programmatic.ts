/** @file The embedded judge of steered text: concept and instruction by the dataset, fluency by likelihood. */
import type { Concept, SteeringPrompt, TextJudge } from '../../harness/contract.ts';
import { type FluencyScale, fluencyScore, type TextLikelihood } from './fluency.ts';

/** A continuation of a prompt: the generated text alone, and what its fluency is judged by. */
export interface Generation extends TextLikelihood {
  text: string;
}

/** Scores of one generation, each 0, 1 or 2. */
export interface Ratings {
  concept: number;
  instruct: number;
  fluency: number;
  /** Harmonic mean of the three; 0 if any is 0 (AxBench §4). */
  overall: number;
}

/** Scores a generation for a concept and a prompt; the dataset judges each different text once. */
export type ProgrammaticJudge = (generation: Generation, concept: Concept, prompt: SteeringPrompt) => Ratings;

/** Harmonic mean of three scores; 0 if any is 0. */
export function harmonicMean(a: number, b: number, c: number): number {
  return a > 0 && b > 0 && c > 0 ? 3 / (1 / a + 1 / b + 1 / c) : 0;
}

/** The judge of a dataset with a calibrated scale of fluency. */
export function programmaticJudge(judge: TextJudge, scale: FluencyScale): ProgrammaticJudge {
  const known = new Map<string, number>();
  const once = (key: string, score: () => number): number => {
    let value = known.get(key);
    if (value === undefined) {
      value = score();
      known.set(key, value);
    }
    return value;
  };
  return (generation, concept, prompt) => {
    const { text } = generation;
    const shown = once(`concept ${concept.id}\n${text}`, () => judge.concept(text, concept));
    const instruct = once(`prompt ${prompt.id}\n${text}`, () => judge.instruction(text, prompt));
    const fluency = fluencyScore(scale, generation);
    return { concept: shown, instruct, fluency, overall: harmonicMean(shown, instruct, fluency) };
  };
}
