/**
 * @file Whether a language model carries "this document speaks of X" on: how often a document that has shown its theme
 * once shows it again, as the model continues it and as the world itself did.
 */
import type { LanguageModel, Rng } from '../../../../harness/contract.ts';
import type { TextWorld } from '../../../../tasks/worlds/text-world/world.ts';

/** No rest of a document of the world is longer. */
const NEW_TOKENS = 96;

/** Shares in [0, 1] of the documents whose rest shows the theme again, in a whole form: the model's rest, and the world's. */
export interface Persistence {
  model: number;
  world: number;
  documents: number;
}

/** Cuts fresh documents after their first clause, whose end shows the theme, samples the rest at temperature 1 and compares the rests. */
export async function measurePersistence(
  subject: LanguageModel,
  world: TextWorld,
  rng: Rng,
  documents: number,
): Promise<Persistence> {
  const cut = Array.from({ length: documents }, () => {
    const { text, spans } = world.generate(rng);
    const { end, concept } = spans[0]!;
    return { start: text.slice(0, end), rest: text.slice(end), concept };
  });
  const prompts = cut.map(({ start }) => subject.tokenizer.encode(start).ids);
  const ids = await subject.generate(prompts, { maxNewTokens: NEW_TOKENS, temperature: 1, seed: 0 });
  const shareOf = (rests: string[]): number =>
    rests.filter((rest, i) => world.recognise(rest).concepts.get(cut[i]!.concept)?.grade === 2).length / documents;
  return {
    model: shareOf(ids.map((row) => subject.tokenizer.decode(row))),
    world: shareOf(cut.map(({ rest }) => rest)),
    documents,
  };
}
