/** @file The scale of fluency for one subject and dataset, from held-out texts as they are and spoilt. */
import { type Item, type LanguageModel, type Rng, UserError } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { CORRUPTIONS, type Corruption, corrupt } from '../judges/parts/corruption.ts';
import { divided } from '../judges/parts/divided.ts';
import { type CalibrationText, calibrateFluency, type FluencyScale } from '../judges/parts/fluency.ts';
import { repetition } from '../judges/parts/repetition.ts';
import { cutText, textLosses, textOf } from './texts.ts';

/** Calibrates on at most `texts` items; continuations are cut to `maxNewTokens`, as generated ones are, and shorter. */
export async function fluencyScale(
  subject: LanguageModel,
  items: readonly Item[],
  options: { texts: number; maxNewTokens: number; signal?: AbortSignal },
): Promise<FluencyScale> {
  const chosen = items
    .flatMap((item) => (item.text === undefined ? [] : [divided(item)]))
    .filter(({ rest }) => rest.trim().split(/\s+/).length > 2)
    .slice(0, options.texts);
  if (chosen.length < 2) {
    throw new UserError(
      `steering: expected at least 2 held-out texts of more than 2 words to calibrate fluency, found ${chosen.length}; ` +
        'raise the number of test items',
    );
  }
  const measure = async (texts: { start: string; rest: string }[]): Promise<CalibrationText[]> => {
    const cut = texts.map(({ start, rest }) => cutText(subject, start + rest, start.length, options.maxNewTokens));
    const losses = await textLosses(subject, cut, { signal: options.signal });
    return cut.map(({ ids }, i) => ({
      losses: losses[i]!,
      repetition(tokens) {
        const own = ids.slice(0, tokens);
        return repetition(own, textOf(subject, own));
      },
    }));
  };
  const others = chosen.map(({ rest }) => rest);
  const rng = createRng('steering/fluency');
  const spoilt = {} as Record<Corruption, CalibrationText[]>;
  for (const kind of CORRUPTIONS) {
    const stream = rng.fork(kind);
    spoilt[kind] = await measure(chosen.map(({ start, rest }) => ({ start, rest: spoil(rest, kind, others, stream) })));
  }
  return calibrateFluency(await measure(chosen), spoilt, options.maxNewTokens);
}

/** The rest corrupted, but for the white space that it begins with. */
function spoil(rest: string, kind: Corruption, others: readonly string[], rng: Rng): string {
  return /^\s*/.exec(rest)![0] + corrupt(rest, kind, others, rng);
}
