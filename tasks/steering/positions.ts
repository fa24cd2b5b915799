/** @file At which positions of a prompt and its continuation is steered. */
import type { OptionsSchema } from '../../harness/contract.ts';

/** `all` (AxBench), the `response` alone, the `first` or the `last` tokens of the prompt alone. */
export type PositionRule = 'all' | 'response' | 'first' | 'last';

export interface PositionOptions {
  positions: PositionRule;
  positionCount: number;
}

export const POSITION_OPTIONS: OptionsSchema = {
  positions: {
    enum: ['all', 'response', 'first', 'last'],
    default: 'all',
    description:
      'LM: where is steered. all: every position of prompt and response (AxBench); response: none of the prompt; first, last: ' +
      'that many tokens of the prompt alone. A text without a prompt is all response, and its own beginning for first.',
  },
  positionCount: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description: 'LM: how many tokens of the prompt `first` and `last` mean (PrOSV: 4).',
  },
};

/** Steered columns of a pass over a prompt (and its response, where that is given), and whether generated tokens are. */
export interface SteeredPositions {
  from: number;
  /** Exclusive. */
  to: number;
  generated: boolean;
}

/** For a text whose prompt has `prompt` tokens, 0 where it has none; undefined: at all. */
export function steeredPositions(
  { positions, positionCount }: PositionOptions,
  prompt: number,
): SteeredPositions | undefined {
  if (positions === 'response') return { from: prompt, to: Number.POSITIVE_INFINITY, generated: true };
  if (positions === 'first') {
    return { from: 0, to: prompt > 0 ? Math.min(positionCount, prompt) : positionCount, generated: false };
  }
  if (positions === 'last') return { from: Math.max(0, prompt - positionCount), to: prompt, generated: false };
  return undefined;
}
