/** @file The text world: documents on a topic, governed by a concept as their theme, with exact probabilities. */
import type { Rng } from '../../../harness/contract.ts';
import { laterClauses, uniform } from './clauses.ts';
import type { Concept, Topic } from './concepts.ts';
import { clauseCounts, connector, instructionGrammar, opener, removeCapitals } from './document.ts';
import type { GenerateOptions, TextDocument } from './generate.ts';
import { createGenerator } from './generate.ts';
import type { Node } from './grammar.ts';
import { choice, compileClauses, entropy, seq, text } from './grammar.ts';
import { domains, topics } from './lexicon/index.ts';
import type { Match } from './parse.ts';
import { parse } from './parse.ts';
import type { Look, Recognition } from './recognise.ts';
import { createRecogniser } from './recognise.ts';
import type { Theme } from './theme.ts';
import { themesOf } from './theme.ts';

/** The text world. It has no state: the same calls give the same results. */
export interface TextWorld {
  readonly concepts: readonly Concept[];
  readonly topics: readonly Topic[];
  /** Exact entropy of the default distribution, in nats per document (the end of the document included). */
  readonly entropyPerDocument: number;
  /** Draws a document; forced choices change what is drawn, never the `logProb`, which is that of the default. */
  generate(rng: Rng, options?: GenerateOptions): TextDocument;
  /** Inverts `generate`: derivations, spans and log-probability, or null for a text outside the world. */
  parse(text: string): Match | null;
  /** Log-probability of a whole document in nats, its end included; -Infinity outside the world. */
  logProb(text: string): number;
  /** Which concepts and which topic any text shows. */
  recognise(text: string): Recognition;
  /** The same, for those concepts and topics only that are asked for. */
  look(text: string): Look;
}

/** Builds the text world. The vocabulary is fixed; randomness is in the `rng` given to `generate`. */
export function createTextWorld(): TextWorld {
  const concepts: Concept[] = domains.flatMap(({ domain, clinical, concepts: specs }) =>
    specs.map((spec) => ({
      id: spec.id,
      label: spec.label,
      description: spec.description,
      domain,
      clinical,
      spec,
      clause: { kind: 'tag', role: 'concept', id: spec.id, body: compileClauses(spec, spec.id) },
    })),
  );
  const worldTopics: Topic[] = topics.map((spec) => ({
    id: spec.id,
    names: spec.names,
    spec,
    instruction: { kind: 'tag', role: 'instruction', id: spec.id, body: instructionGrammar(spec.names) },
    clause: { kind: 'tag', role: 'topic', id: spec.id, body: compileClauses(spec, spec.id) },
  }));
  const themeOf = themesOf(concepts);
  let grammar: Node | undefined;
  const wholeGrammar = (): Node => {
    grammar ??= documentGrammar(concepts, worldTopics, themeOf);
    return grammar;
  };
  const parseText = (full: string): Match | null => {
    const plain = removeCapitals(full);
    return plain === null ? null : parse(wholeGrammar(), plain);
  };
  let made: ReturnType<typeof createRecogniser> | undefined;
  const recogniser = () => {
    made ??= createRecogniser(concepts, worldTopics);
    return made;
  };
  return {
    concepts,
    topics: worldTopics,
    get entropyPerDocument() {
      return entropy(wholeGrammar());
    },
    generate: createGenerator(concepts, worldTopics, themeOf),
    parse: parseText,
    logProb: (full) => parseText(full)?.logProb ?? Number.NEGATIVE_INFINITY,
    recognise: (full) => recogniser().recognise(full),
    look: (full) => recogniser().look(full),
  };
}

/** The whole distribution as one grammar; the generator draws from the same, step by step. */
function documentGrammar(
  concepts: readonly Concept[],
  worldTopics: readonly Topic[],
  themeOf: (id: string) => Theme | undefined,
): Node {
  const later = laterClauses(concepts, themeOf);
  const responseTo = (topic: Topic, concept: Concept): Node => {
    const theme = themeOf(concept.id)!;
    const clause = later(topic, concept);
    const next = seq(connector, opener, clause, theme.closer);
    const responses = clauseCounts.map(({ count }) =>
      seq(opener, theme.clauseOf(topic), theme.firstCloser, ...Array(count - 1).fill(next), text('.')),
    );
    return choice(
      responses,
      clauseCounts.map(({ prob }) => prob),
    );
  };
  return uniform(
    worldTopics.map((topic) =>
      seq(topic.instruction, text('\n'), uniform(concepts.map((concept) => responseTo(topic, concept)))),
    ),
  );
}
