/**
 * @file Measures tiny-lm-chain on held-out documents and writes its model card:
 * `node --import tsx models/pretrained/tiny-lm-chain/make/measure.ts`.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LanguageModel, Rng } from '../../../../harness/contract.ts';
import { createRng, type Estimate, ratioInterval } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { type Chains, createChains, STAY } from '../../../../tasks/worlds/text-world/chain.ts';
import { readDocument } from '../../../../tasks/worlds/text-world/chain-posterior.ts';
import { parse } from '../../../../tasks/worlds/text-world/parse.ts';
import { tokenCounter } from '../../../../tasks/worlds/text-world/token-count.ts';
import { createTextWorld, type TextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import mistral from '../../../subjects/mistral.ts';
import { writeCard } from '../../headroom.ts';
import { taggedText, tagOf } from './documents.ts';
import { bestSite, type GatePosteriors, gateCases, gatePosteriors, gateRatio, someCases } from './gate.ts';
import { continuations } from './patched-lm.ts';
import { textLosses } from './text-losses.ts';

/** What the gate asks for: the part of the control token's effect. */
const NEEDED = 0.5;
/** Tokens that attention looks back. */
const WINDOW = 16;
/** Tokens of a continuation. */
const NEW_TOKENS = 40;

export interface MeasureOptions {
  /** How the model was trained, for the card. */
  training?: string;
  documents?: number;
  /** Pairs of documents of each form of the gate: one half of them chooses the site, the other reports. */
  cases?: number;
}

/** One form of the gate: the site that was chosen, and what was measured on the other half of the cases. */
interface GateForm {
  chosen: string;
  reported: GatePosteriors;
}

/** Loads the folder as any user would, measures it and writes README.md. */
export async function measure(folder: string, options: MeasureOptions = {}): Promise<void> {
  const { training, documents = 400, cases: n = 240 } = options;
  const subject = (await mistral.load(folder, { id: 'tiny-lm-chain' })) as LanguageModel;
  const world = createTextWorld();
  const chains = createChains(world.concepts, world.topics);
  // A stream that training never draws from.
  const rng = createRng('tiny-lm-chain').fork('held-out');
  const losses = heldOutLosses(subject, world, chains, rng.fork('losses'), documents);
  const sites = subject.sites.map(({ name }) => name).filter((name) => name.endsWith('hook_resid_post'));
  const goOn = continuations(subject, { maxNewTokens: NEW_TOKENS, seed: 0 });
  const form = async (name: string, shared: number): Promise<GateForm> => {
    const cases = gateCases(world, chains, rng.fork(`gate ${name}`), n, { shared, lengthOf: tokenCounter() });
    const all = await gatePosteriors(chains, cases, sites, goOn);
    return { chosen: bestSite(someCases(all, 0, n / 2)), reported: someCases(all, n / 2, n) };
  };
  const whole = await form('whole', 0);
  const strict = await form('shared', WINDOW);
  const bytes = statSync(`${folder}model.safetensors`).size;
  const lines = [
    '# tiny-lm-chain',
    '',
    'A small language model (Mistral layout: Llama with a window of attention), trained from nothing on chains of the text world',
    'by `make/train.ts` in the repository. Nothing was ever added to its activations and no loss is of one: what a document is',
    'about was told by control tokens (`<|soup|>`), in fewer and fewer documents, and by the text itself. In the second part of the',
    'training it was also asked, at its output and at every token, which control token belongs to the text so far.',
    '',
    '| what | value |',
    '|---|---|',
    `| parameters | ${subject.parameters.toLocaleString('en')} (${(bytes / 1e6).toFixed(1)} MB float32) |`,
    ...(training ? [`| training | ${training} |`] : []),
    ...losses,
    '',
    'A chain is a document whose theme, one of ' +
      `${world.concepts.length} concepts, stays from clause to clause with probability ${STAY} or gives way to any other. The floor is its exact`,
    'probability over all chains that are possible behind the text; with tags the themes are given.',
    '',
    ...gateLines(whole, strict, n / 2),
    '',
    'Measured by `make/measure.ts`, which loads the folder like any other Hugging Face folder.',
    '',
  ];
  writeCard(folder, lines.join('\n'));
  console.log(lines.slice(6).join('\n'));
  subject.dispose();
}

const interval = ({ value, ci }: Estimate, digits: number): string =>
  `${value.toFixed(digits)}${ci ? ` [${ci.map((bound) => bound.toFixed(digits)).join(', ')}]` : ''}`;

/** Rows of the card: the loss of held-out chains, without and with tags, and of documents of one theme. */
function heldOutLosses(subject: LanguageModel, world: TextWorld, chains: Chains, rng: Rng, n: number): string[] {
  const firstTag = subject.tokenizer.encode(tagOf(world.concepts[0]!.id), { addSpecialTokens: false }).ids[0]!;
  const row = (what: string, texts: readonly string[], floors?: readonly number[]): string => {
    const losses = textLosses(subject, texts, firstTag);
    const tokens = losses.map((loss) => loss.tokens);
    const of = (values: readonly number[]) => ratioInterval(values, tokens)!;
    const loss = of(losses.map(({ sum }) => sum));
    if (!floors) return `| ${what} | loss ${interval(loss, 3)} nats per token |`;
    const excess = of(losses.map(({ sum }, i) => sum - floors[i]!));
    return `| ${what} | loss ${loss.value.toFixed(3)}, the generator's own −ln p ${of(floors).value.toFixed(3)}: **excess ${interval(excess, 3)} nats per token** |`;
  };
  const documents = Array.from({ length: n }, () => chains.draw(rng));
  const floors = documents.map(({ text, topic }) => {
    const instruction = parse(world.topics.find(({ id }) => id === topic)!.instruction, text.split('\n', 1)[0]!)!;
    return Math.log(world.topics.length) - instruction.logProb - readDocument(chains, text, { topic }).logProb;
  });
  const single = Array.from({ length: n }, () => world.generate(rng));
  return [
    row(
      `${n} held-out chains`,
      documents.map(({ text }) => text),
      floors,
    ),
    row(
      'the same with tags',
      documents.map((document) => taggedText(document)),
    ),
    row(
      `${n} documents of one theme, which the tasks use (their generator knows that it stays)`,
      single.map(({ text }) => text),
      single.map(({ logProb }) => -logProb),
    ),
  ];
}

/** The section on the gate. */
function gateLines(whole: GateForm, strict: GateForm, pairs: number): string[] {
  const mean = (values: readonly number[]): string =>
    (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3);
  const cells = ({ reported, chosen }: GateForm, values: readonly number[], site?: string): string => {
    const estimate = gateRatio(reported, values);
    const ratio = estimate ? interval(estimate, 2) : '–';
    return `${mean(values)} | ${site === chosen ? `**${ratio}**` : ratio}`;
  };
  const row = (what: string, pick: (posteriors: GatePosteriors) => readonly number[], site?: string): string =>
    `| ${what} | ${[whole, strict].map((form) => cells(form, pick(form.reported), site)).join(' | ')} |`;
  const gateAt = ({ reported, chosen }: GateForm): number =>
    gateRatio(reported, reported.patched.get(chosen)!)?.value ?? 0;
  const [gate, strictGate] = [whole, strict].map((form) => (gateAt(form) >= NEEDED ? 'passed' : 'not passed'));
  return [
    '## The gate: does its state govern what it writes?',
    '',
    'Two documents of one topic have different themes. At one site the activations of the one are taken into the other, which then',
    `goes on (${NEW_TOKENS} tokens, temperature 1). The exact posterior of the first document’s theme, as the share of the continuation’s clauses`,
    'that it governs, moves by a part of what the theme’s control token does at the end of the other document: that is the gate.',
    'Its strict form: both documents end in the same clauses, which tell nothing of any theme and have more tokens than attention',
    'looks back, and only the activations of these shared tokens are taken. State is patched then, and no word of any theme.',
    '',
    '| patched | posterior: whole response | gate | posterior: shared tokens | strict gate |',
    '|---|---:|---:|---:|---:|',
    row('nothing', ({ clean }) => clean),
    ...[...whole.reported.patched.keys()].map((site) => row(site, ({ patched }) => patched.get(site)!, site)),
    row('the other document itself goes on', ({ donor }) => donor),
    row('the control token at the end', ({ tagged }) => tagged),
    '',
    `${pairs} held-out pairs a form, with 95 % intervals over pairs; the site in bold was chosen on ${pairs} others. Asked for is ${NEEDED}: the gate is ` +
      `**${gate}**, its strict form ${strictGate}.`,
    '',
    // What follows `> saxbench:` stands in every report on this model.
    `> saxbench: ${gate === 'passed' ? '' : 'generation is not steered at this size: '}activations of another document move what it writes by ` +
      `${gateAt(whole).toFixed(2)} of what a control token does (at ${whole.chosen}), those of tokens that tell nothing of its theme by ` +
      `${gateAt(strict).toFixed(2)} (at ${strict.chosen}); nothing was added to activations in training.`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { out, training, documents, cases } = parseArgs({
    options: {
      ...{ out: { type: 'string' }, training: { type: 'string' } },
      ...{ documents: { type: 'string' }, cases: { type: 'string' } },
    },
  }).values;
  await initBackend();
  await measure(out ?? fileURLToPath(new URL('..', import.meta.url)), {
    ...(training && { training }),
    ...(documents && { documents: Number(documents) }),
    ...(cases && { cases: Number(cases) }),
  });
}
