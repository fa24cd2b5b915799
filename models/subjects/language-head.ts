/** @file The unembedding of a causal language model, which may be the table of its tokens. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';

/**
 * Reads `tie_word_embeddings`: which parameter the unembedding is, and what files may hold a copy of.
 *
 * @param embed Name of the table of the tokens, without `.weight`.
 * @param own Name of the unembedding where it is one of its own.
 * @param tied What holds where the config leaves it out.
 */
export function readHead(
  config: ConfigReader,
  embed: string,
  own: string,
  tied: boolean,
): Pick<CausalLm, 'head'> & { copies: Record<string, string> } {
  return config.flag('tie_word_embeddings', tied)
    ? { head: embed, copies: { [`${own}.weight`]: `${embed}.weight` } }
    : { head: own, copies: {} };
}
