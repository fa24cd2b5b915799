/**
 * @file Measures tiny-lm-planted on held-out documents and writes its model card:
 * `node --import tsx models/pretrained/tiny-lm-planted/make/measure.ts`.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LanguageModel, type TokenBatch, tf } from '../../../../harness/contract.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { createRng } from '../../../../harness/num/rng.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import llama from '../../../subjects/llama.ts';
import { writeCard } from '../../headroom.ts';
import { encodeDocuments } from './documents.ts';
import { measurePersistence } from './persistence.ts';
import { PLANTED, THEME_SITE } from './theme-vectors.ts';

const BATCH = 50;
const PERSISTENCE_DOCUMENTS = 500;

/** What its card says first. */
const CONTROL = [
  '',
  '**A planted direction: a positive control for steering, not a benchmark of it.** The model was trained to follow vectors that',
  'are added to its activations, which the steering tasks then look for. What they report on it is headed "planted-direction',
  'recovery", has no ranks, and is run by the suite `steering-control`; all other suites leave those tasks out.',
];

/** What the cards of the other sizes say beside. */
const SIZE = [
  '',
  'One of the three sizes of the suite `scaling-subjects`, which differ in their width alone and are trained alike, at a learning',
  'rate that falls as the width grows, each far shorter than `tiny-lm-planted`: for laws over the size of a subject, not for detection or steering.',
];

/** Loads the folder as any user would, scores `heldOut` fresh documents and writes README.md. */
export async function measure(
  folder: string,
  options: { id: string; heldOut: number; training?: string },
): Promise<void> {
  const subject = (await llama.load(folder, { id: options.id })) as LanguageModel;
  const world = createTextWorld();
  // A stream that training never draws from.
  const rng = createRng('tiny-lm').fork('held-out');
  const excess: number[] = [];
  let nll = 0;
  let floor = 0;
  let tokens = 0;
  for (let start = 0; start < options.heldOut; start += BATCH) {
    const documents = Array.from({ length: BATCH }, () => world.generate(rng));
    const batch = encodeDocuments(
      subject.tokenizer,
      documents.map(({ text }) => text),
    );
    const losses = tokenLosses(subject, batch);
    documents.forEach(({ logProb }, row) => {
      const { sum, count } = losses[row]!;
      nll += sum;
      floor -= logProb;
      tokens += count;
      excess.push((sum + logProb) / count);
    });
  }
  const perToken = (nll - floor) / tokens;
  const mean = excess.reduce((a, b) => a + b, 0) / excess.length;
  const sd = Math.sqrt(excess.reduce((a, b) => a + (b - mean) ** 2, 0) / (excess.length - 1));
  const half = (1.96 * sd) / Math.sqrt(excess.length);
  const again = await measurePersistence(subject, world, rng.fork('persistence'), PERSISTENCE_DOCUMENTS);
  const percent = (share: number): string => {
    const halfWidth = 1.96 * Math.sqrt((share * (1 - share)) / again.documents);
    return `${(100 * share).toFixed(1)} % ± ${(100 * halfWidth).toFixed(1)}`;
  };
  const bytes = statSync(`${folder}model.safetensors`).size;
  const lines = [
    `# ${options.id}`,
    '',
    'A small language model in Llama layout, trained from nothing on the text world by `make/train.ts` in the repository.',
    'It exists so that the benchmark runs anywhere with nothing to download and with exact ground truth.',
    ...(options.id === 'tiny-lm-planted' ? CONTROL : SIZE),
    '',
    '| what | value |',
    '|---|---|',
    `| parameters | ${subject.parameters.toLocaleString('en')} (${(bytes / 1e6).toFixed(1)} MB ${bytes < 3 * subject.parameters ? 'float16' : 'float32'}) |`,
    ...(options.training ? [`| training | ${options.training} |`] : []),
    `| held-out documents | ${options.heldOut} (${tokens.toLocaleString('en')} predicted tokens, end of document included) |`,
    `| loss | ${(nll / tokens).toFixed(4)} nats per token |`,
    `| the generator's own −ln p on the same documents | ${(floor / tokens).toFixed(4)} nats per token |`,
    `| **excess loss** | **${perToken.toFixed(4)} nats per token** (mean over documents ${mean.toFixed(4)} ± ${half.toFixed(4)}, 95 %) |`,
    `| a theme shown once is shown again (${again.documents} continuations) | ${percent(again.model)}; by the generator ${percent(again.world)} |`,
    '',
    'The generator gives every document its exact probability, so the excess is what the model has not learned.',
    '',
    `Training learns one direction a theme beside the model, dropped afterwards (\`make/theme-vectors.ts\`): read from the tokens`,
    `after \`${THEME_SITE}\` and added there to some documents. So a direction that governs what is written is known to`,
    'exist at that site, as it does in large models; earlier tiny-lms, trained without, could be steered by no method. It is a',
    'supervised and linear one: methods that look for such directions (differences of means first) are favoured there.',
    '',
    // What follows `> saxbench:` stands in every report on this model.
    `> saxbench: trained with one supervised direction a theme, added after ${THEME_SITE} as a difference of means would be ` +
      '(dropped afterwards): methods that look for such directions are favoured at this site.',
    '',
    // By this line the harness knows it (harness/suite/planted.ts).
    `> saxbench-planted: ${PLANTED}.`,
    '',
    'Measured by `make/measure.ts`, which loads the folder like any other Hugging Face folder.',
    '',
  ];
  writeCard(folder, lines.join('\n'));
  console.log(lines.slice(5).join('\n'));
  subject.dispose();
}

/** Sum of −ln p(token | before) and number of predicted tokens, row by row; the first token is not predicted. */
function tokenLosses(subject: LanguageModel, batch: TokenBatch): { sum: number; count: number }[] {
  const { n, length, ids, mask } = batch;
  // Read outside of tidy, which would walk over a returned array value by value.
  const tensor = tf.tidy(() => tf.logSoftmax(subject.forward(batch).logits!));
  const logProbs = tensor.dataSync();
  tensor.dispose();
  const vocab = logProbs.length / (n * length);
  return Array.from({ length: n }, (_, row) => {
    let sum = 0;
    let count = 0;
    for (let t = 1; t < length; t++) {
      const at = row * length + t;
      if (!mask[at]) break;
      sum -= logProbs[(at - 1) * vocab + ids[at]!]!;
      count++;
    }
    return { sum, count };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await initBackend();
  await measure(fileURLToPath(new URL('..', import.meta.url)), { id: 'tiny-lm-planted', heldOut: 2000 });
}
