/**
 * @file The gate of a language model that shall be steered: does the state that it carries govern what it writes? Of two
 * documents on one topic with different themes, the activations of the one are taken into the other at one site, and the other
 * goes on. The gate is how far this moves the posterior of the theme in the continuation, as a part of what the theme's control
 * token does. In its strict form both documents end in the same clauses, which tell nothing of any theme, and only the
 * activations of these shared tokens are taken: what is patched then is state alone, not words.
 */
import type { Rng } from '../../../../harness/contract.ts';
import { type Estimate, ratioInterval } from '../../../../harness/kit/index.ts';
import type { Chains } from '../../../../tasks/worlds/text-world/chain.ts';
import { readContinuation } from '../../../../tasks/worlds/text-world/chain-posterior.ts';
import {
  addCapitals,
  closer,
  connector,
  lowerSentences,
  opener,
} from '../../../../tasks/worlds/text-world/document.ts';
import { sample, seq } from '../../../../tasks/worlds/text-world/grammar.ts';
import type { TextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { tagOf } from './documents.ts';

/** Clauses by which each document shows its theme. */
const TELLING_CLAUSES = 2;

/** Two documents of one topic that break off after a clause. */
export interface GateCase {
  readonly topic: string;
  /** Place of the donor's theme among the chains' concepts. */
  readonly theme: number;
  /** What is continued: it shows another theme. */
  readonly recipient: string;
  /** Whose activations are taken. */
  readonly donor: string;
  /** The end of both, which tells nothing of any theme: empty where there is none. */
  readonly shared: string;
  /** How many tokens are patched, from the end: those of the shared end, or without one as many as both responses have. */
  readonly tokens: number;
}

/**
 * Draws cases whose shared ends have at least `shared` tokens, or none for 0. With more of them than attention looks back,
 * the continuation meets what the documents are about in the states of the shared tokens only.
 */
export function gateCases(
  world: Pick<TextWorld, 'topics'>,
  chains: Chains,
  rng: Rng,
  n: number,
  { shared: shortest, lengthOf }: { shared: number; lengthOf: (text: string) => number },
): GateCase[] {
  return Array.from({ length: n }, () => {
    const topic = rng.choice(world.topics);
    // As a document of any theme words a clause on its topic where nothing of its theme shows.
    const neutral = seq(connector, opener, topic.clause, closer);
    let shared = '';
    while (lengthOf(shared) < shortest) shared += sample(neutral, rng).text;
    const themes = rng.sample(chains.concepts.length, 2);
    const [theme, other] = [themes[0]!, themes[1]!];
    const showing = (place: number): string => {
      const options = { topic: topic.id, theme: chains.concepts[place]!.id, clauses: TELLING_CLAUSES, stay: 1 };
      const { text, clauses } = chains.draw(rng, options);
      return addCapitals(lowerSentences(text).slice(0, clauses.at(-1)!.end) + shared);
    };
    const [donor, recipient] = [showing(theme), showing(other)];
    // With the capitals that its sentences have there.
    const end = shared && recipient.slice(-shared.length);
    const responseTokens = (text: string) => lengthOf(text) - lengthOf(text.slice(0, text.indexOf('\n') + 1));
    const tokens = end === '' ? Math.min(...[recipient, donor].map(responseTokens)) : lengthOf(end);
    return { topic: topic.id, theme, recipient, donor, shared: end, tokens };
  });
}

/** Which activations are taken from donors: at one site, of the last tokens of each row. */
export interface Patch {
  readonly site: string;
  readonly donors: readonly string[];
  /** How many of each row. */
  readonly tokens: readonly number[];
}

/** How a model goes on with each text: the text of the continuation, random at temperature 1. */
export type Continue = (texts: readonly string[], patch?: Patch) => Promise<string[]>;

/** Posteriors of the donor's theme, by case: the share of the continuation's clauses that it governs, in expectation. */
export interface GatePosteriors {
  /** Of the recipient. */
  readonly clean: readonly number[];
  /** Of the recipient with the theme's control token at its end. */
  readonly tagged: readonly number[];
  /** Of the donor itself: what a patch of everything would reach. */
  readonly donor: readonly number[];
  /** Of the recipient with activations of the donor, by site. */
  readonly patched: ReadonlyMap<string, readonly number[]>;
}

/** Continues all cases in all ways and reads the posteriors of what is written. */
export async function gatePosteriors(
  chains: Chains,
  cases: readonly GateCase[],
  sites: readonly string[],
  goOn: Continue,
): Promise<GatePosteriors> {
  const recipients = cases.map(({ recipient }) => recipient);
  const donors = cases.map(({ donor }) => donor);
  const posteriorOf = (starts: readonly string[], rests: readonly string[]): number[] =>
    cases.map(({ topic, theme }, i) => {
      const start = starts[i]!;
      return readContinuation(chains, start + rests[i]!, start.length, { topic }).shares[theme]!;
    });
  const clean = posteriorOf(recipients, await goOn(recipients));
  const tags = cases.map(({ theme }) => tagOf(chains.concepts[theme]!.id));
  const tagged = posteriorOf(recipients, await goOn(recipients.map((text, i) => text + tags[i]!)));
  const donor = posteriorOf(donors, await goOn(donors));
  const patched = new Map<string, number[]>();
  const tokens = cases.map((each) => each.tokens);
  for (const site of sites)
    patched.set(site, posteriorOf(recipients, await goOn(recipients, { site, donors, tokens })));
  return { clean, tagged, donor, patched };
}

/**
 * What the patch moves the posterior by, as a part of what the control token does, with its interval over cases; null where
 * the token moves nothing.
 */
export function gateRatio({ clean, tagged }: GatePosteriors, patched: readonly number[]): Estimate | null {
  const moved = (values: readonly number[]) => Float64Array.from(values, (value, i) => value - clean[i]!);
  return ratioInterval(moved(patched), moved(tagged));
}

/** The posteriors of the cases from `first` to before `end`. */
export function someCases(all: GatePosteriors, first: number, end: number): GatePosteriors {
  const cut = (values: readonly number[]) => values.slice(first, end);
  return {
    ...{ clean: cut(all.clean), tagged: cut(all.tagged), donor: cut(all.donor) },
    patched: new Map([...all.patched].map(([site, values]) => [site, cut(values)])),
  };
}

/** The site of the largest ratio. */
export function bestSite(posteriors: GatePosteriors): string {
  const ratios = [...posteriors.patched].map(([site, values]) => ({
    site,
    value: gateRatio(posteriors, values)?.value ?? -Infinity,
  }));
  return ratios.reduce((best, each) => (each.value > best.value ? each : best)).site;
}
