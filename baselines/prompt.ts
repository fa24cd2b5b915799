/** @file Prompting: the subject itself is asked whether a text shows a concept, and asked to write about one. */
import {
  type ChatFormat,
  type Concept,
  defineBaseline,
  type FitContext,
  type Item,
  type LanguageModel,
  type Mark,
  type RestoreContext,
  UserError,
} from '../harness/contract.ts';
import { denseFeatures, fitLogistic } from '../harness/kit/index.ts';
import { requireLanguageModel } from './parts/language-model.ts';
import { yesLogOdds } from './parts/prompting/log-odds.ts';
import { answersOf, detectionPrompt, type Framed, steeringPrompt, userFrame } from './parts/prompting/wording.ts';
import { requireLabels, trainExamples } from './parts/train-examples.ts';

interface Options {
  format: 'auto' | 'plain';
  maxTokens: number;
}

/** score = weight · log-odds + intercept: the log-odds of the concept on the training items. */
interface Calibration {
  id: string;
  /** The concept's label as the chat format has it within a message. */
  label: string;
  weight: number;
  intercept: number;
}

/**
 * Detection: the text (its response, where one is marked) and the question whether it shows the concept are put to the subject, in
 * its own chat format where it has one; what is read is ln p(yes) − ln p(no) of its answer, calibrated on the concept's
 * training items by a logistic regression of one feature, which also turns a subject that says yes where the concept is
 * not. AxBench samples a rating of 0, 1 or 2 from the subject in place of it, and counts what cannot be read as −1.
 * Steering: a request for the concept stands before each prompt, within the user's message where the prompt is one. AxBench lets another, larger model write that request.
 */
export default defineBaseline<Options>({
  id: 'prompt',
  title: 'Prompting (the subject is asked)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: {
    format: {
      enum: ['auto', 'plain'],
      default: 'auto',
      description: "auto: the subject's own chat template where it has one; plain: no template.",
    },
    maxTokens: { type: 'integer', minimum: 8, default: 256, description: 'Tokens of a text that are shown.' },
  },
  needs: 'subject',
  modalities: ['text'],
  seeded: false,
  async fit(context) {
    const { options, signal, progress } = context;
    const labelled = requireLabels('prompt', context.labelled);
    const lm = requireModel(context);
    const chat = await chatOf(context);
    const { concepts, items } = labelled.set;
    const calibrations: Calibration[] = [];
    for (const [c, concept] of concepts.entries()) {
      const examples = trainExamples('prompt', labelled, c);
      const texts = [...examples.items].map((item) => textOf(items[item]!));
      const odds = await ask(lm, texts, concept, chat, options, signal);
      const label = chat ? chat.literal(concept.label) : concept.label;
      calibrations.push({ id: concept.id, label, ...calibrated(odds, examples.labels) });
      progress(c + 1, concepts.length);
    }
    const marks = invertedMark(calibrations);
    return {
      tensors: {},
      json: { calibrations, frame: userFrame(chat) },
      ...(marks.length > 0 ? { marks } : {}),
    };
  },
  restore(state, context) {
    const { calibrations, frame } = state.json as { calibrations: Calibration[]; frame: Framed };
    const lm = requireModel(context);
    const calibrationOf = (concept: Concept) => calibrations.find(({ id }) => id === concept.id);
    return {
      d_in: context.d_in,
      sparse: false,
      detector(concept) {
        const own = calibrationOf(concept);
        if (!own) return undefined;
        return {
          async scoreItems({ items }, places, signal) {
            const texts = [...places].map((place) => textOf(items[place]!));
            const odds = await ask(lm, texts, concept, await chatOf(context), context.options, signal);
            return Float32Array.from(odds, (value) => own.weight * value + own.intercept);
          },
        };
      },
      ask: (concept, { text }) => steeringPrompt(calibrationOf(concept)?.label ?? concept.label, text, frame),
      dispose: () => {},
    };
  },
});

const requireModel = ({ subject }: Pick<FitContext<unknown>, 'subject'>): LanguageModel =>
  requireLanguageModel('prompt', subject, 'which answers');

async function chatOf({
  options,
  chat,
}: Pick<RestoreContext<Options>, 'options' | 'chat'>): Promise<ChatFormat | undefined> {
  return options.format === 'auto' ? await chat?.() : undefined;
}

function textOf({ id, text, responseStart = 0 }: Item): string {
  if (text === undefined) throw new UserError(`prompt: item '${id}': expected a text, found none`);
  return text.slice(responseStart);
}

function ask(
  lm: LanguageModel,
  texts: readonly string[],
  concept: Concept,
  chat: ChatFormat | undefined,
  { maxTokens }: Options,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const shown = chat ? texts.map((text) => chat.literal(text)) : texts;
  return yesLogOdds(lm, shown, detectionPrompt(concept, chat), answersOf(chat), { most: maxTokens, signal });
}

/** Logistic regression on the standardised log-odds; equal log-odds give the weight 0. */
function calibrated(odds: Float64Array, labels: Uint8Array): Pick<Calibration, 'weight' | 'intercept'> {
  const mean = odds.reduce((sum, value) => sum + value / odds.length, 0);
  const deviation = Math.sqrt(odds.reduce((sum, value) => sum + (value - mean) ** 2 / odds.length, 0));
  if (!Number.isFinite(deviation)) throw new UserError('prompt: expected finite logits, found NaN or Infinity');
  const scaled = odds.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
  const { weights, intercept } = fitLogistic(denseFeatures(scaled, scaled.length, 1), labels, { C: 1 });
  const weight = deviation > 0 ? weights[0]! / deviation : 0;
  return { weight, intercept: intercept - weight * mean };
}

function invertedMark(calibrations: readonly Calibration[]): Mark[] {
  const turned = calibrations.filter(({ weight }) => weight < 0).length;
  if (turned === 0) return [];
  const message = `the subject says yes more where the concept is not, on the training items of ${turned} of ${calibrations.length} concepts: their scores are turned.`;
  return [{ code: 'answers-inverted', message }];
}
