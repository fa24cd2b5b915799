/** @file Steering: does adding a method's direction make the subject show the concept, and keep the rest? */
import { defineTask, type ResultRow, type TaskContext, type TaskOutcome } from '../harness/contract.ts';
import { allUnavailable } from '../harness/kit/index.ts';
import { type ClipShared, prepareClip, steerClip } from './steering/clip.ts';
import { halves } from './steering/concept-choice.ts';
import { type LmShared, type LmWays, prepareLm, steerLm } from './steering/language-model.ts';
import { COST_METRICS } from './steering/likelihood/cost-cells.ts';
import { CLIP_METRICS, COMMON_METRICS, LM_METRICS } from './steering/metrics.ts';
import { STEERING_OPTIONS, type SteeringOptions } from './steering/options.ts';
import { randomLatents } from './steering/random-latents.ts';
import { INTERVENTION_AXIS, SELECTION_AXIS, steeringWays, withoutVector } from './steering/ways.ts';

const METRICS = { ...COMMON_METRICS, ...LM_METRICS, ...COST_METRICS, ...CLIP_METRICS };

/** Controls of the judge: they write texts themselves. */
const WRITERS = ['constant-text', 'concept-word', 'prompt-echo'];

/** What all methods share, of the one kind of subject or of the other. */
type Shared = { lm: LmShared; clip?: undefined } | { clip: ClipShared; lm?: undefined };

/**
 * AxBench's steering (arXiv:2501.17148 §3.2) with a judge of one's choice, and its counterpart for CLIP's zero-shot answers.
 * The strength is factor · scale, where the scale is the method's largest score on the concept's training items (of the
 * random directions, the difference of means': a null of the same length); the
 * factor of each concept is chosen on half of the prompts (or images) and reported on the other half: from a grid, and from
 * beyond it where the best lies at its end. Every method meets the same prompts and the same random numbers, and all concepts
 * share them: intervals and comparisons are for other concepts and for other prompts or images of the same kind. Of a method
 * that writes texts itself these are judged in place of generations.
 */
export default defineTask<SteeringOptions, Shared>({
  id: 'steering',
  title: 'Steering (AxBench)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 7,
  options: STEERING_OPTIONS,
  metrics: METRICS,
  words: ['prompt', 'text'],
  axes: {
    selection:
      `${SELECTION_AXIS}; random: a latent drawn at random, its control; written: none, the method's own texts are judged as they are; ` +
      'asked: none, the method asks for the concept in the prompt',
    intervention: INTERVENTION_AXIS,
    judge: 'who rated, where several judges did: the first of them ranks',
  },
  shows: {
    columns: [
      'concept',
      'instruct',
      'fluency',
      'target_lift',
      'flip_rate',
      'off_target',
      'drift',
      'perplexity_ratio',
      'kl',
      'factor',
      'at_end',
    ],
    ranked: { intervention: ['add', 'own', 'none'] },
    fronts: [
      {
        x: { metric: 'l0', task: 'reconstruction' },
        y: 'overall',
        title: 'Steering score along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
    ],
    curves: {
      'score-by-factor': {
        title: 'Steering score against factor',
        caption: 'Overall score (0 to 2) at each steering factor, mean over concepts.',
        x: 'factor',
        y: 'overall score',
        only: 'overall',
      },
      'shown-by-factor': {
        title: 'Texts that show the concept, by factor',
        caption:
          'Share of generated texts whose concept is rated 2 (shown clearly) at each steering factor, mean over concepts, on the selection half; random-latent: a latent drawn at random, as long a push.',
        x: 'factor',
        y: 'share of texts',
      },
    },
    withheld: {
      beatenBy: WRITERS,
      reason: 'a judge that prefers texts written without the model does not rank what steers it',
    },
  },
  measure: 'judged',
  seeded: false,
  controls: ['random', 'unsteered', ...WRITERS],
  judgedTexts({ concepts, prompts, factors, extend, interventions, maxNewTokens }) {
    const { selection, reporting } = halves(prompts);
    const steered = (factors.length + extend) * selection.length + reporting.length;
    return { texts: concepts * (interventions.length * steered + reporting.length), tokensPerText: maxNewTokens };
  },
  unavailable({ subject, site, dataset, labelled, judge, otherJudges = [] }) {
    if (!subject) return 'needs the subject: activations were imported';
    if (site.parts) return 'steering acts at one site, not at a joint one';
    if (!labelled) return 'the dataset has no labelled concepts';
    if (subject.type === 'clip') {
      return site.name.startsWith('vision.') ? undefined : 'images are steered at sites of the vision tower only';
    }
    if (subject.type !== 'lm') return 'needs a language model or a CLIP: an encoder alone answers nothing';
    if (!dataset.prompts && !dataset.conceptPrompts) return 'the dataset has no prompts to steer from';
    return [judge, ...otherJudges].find((each) => each?.unavailable !== undefined)?.unavailable;
  },
  async prepare(context) {
    const subject = context.subject!;
    if (subject.type === 'lm') return { json: { lm: await prepareLm(context, subject) }, arrays: {} };
    if (subject.type !== 'clip') throw new Error('internal: steering was prepared for an encoder');
    const { shared, arrays } = await prepareClip(context, subject);
    return { json: { clip: shared }, arrays };
  },
  async run(context) {
    const { method, prepared, options } = context;
    const { concepts } = prepared.json.lm ?? prepared.json.clip;
    if (method.write || method.ask) {
      if (!prepared.json.lm) return emptyOutcome(`'${method.id}' is of texts; what is steered here are images`);
      const selection = method.write ? 'written' : 'asked';
      return steered(context, [{ vectors: concepts.map(withoutVector), kinds: ['none'], selection }]);
    }
    const ways = await steeringWays(context, concepts, options);
    if (typeof ways === 'string') return emptyOutcome(ways);
    if (ways.kinds.includes('own') && context.subject?.type !== 'lm') {
      return emptyOutcome(`'${method.id}' changes the subject in its own way: only language models are steered so`);
    }
    const random = options.randomLatent && (await randomLatents(context, concepts, ways));
    return steered(context, random ? [ways, random] : [ways]);
  },
});

/** All ways of steering, with reasons for the metrics of the other kind of subject; of a CLIP the first. */
async function steered(
  context: TaskContext<SteeringOptions, Shared>,
  ways: readonly [LmWays, ...LmWays[]],
): Promise<TaskOutcome> {
  const { subject, prepared } = context;
  const { lm, clip } = prepared.json;
  if (subject?.type === 'lm' && lm) {
    const outcome = await steerLm(context, subject, lm, ways);
    return completed(outcome, allUnavailable(CLIP_METRICS, 'needs a CLIP'));
  }
  if (subject?.type === 'clip' && clip) {
    const [{ vectors, kinds, selection }] = ways;
    const outcome = await steerClip(
      context,
      subject,
      clip,
      vectors,
      kinds.filter((kind) => kind !== 'own'),
      selection,
    );
    return completed(outcome, allUnavailable({ ...LM_METRICS, ...COST_METRICS }, 'needs a language model'));
  }
  throw new Error('internal: steering was prepared for another kind of subject');
}

function completed({ rows, ...outcome }: TaskOutcome, others: Record<string, string>): TaskOutcome {
  return { ...outcome, rows: rows.map((row) => ({ ...row, unavailable: { ...others, ...row.unavailable } })) };
}

function emptyOutcome(reason: string): TaskOutcome {
  const row: ResultRow = {
    axes: { selection: 'detector', intervention: 'none' },
    metrics: {},
    unavailable: allUnavailable(METRICS, reason),
  };
  return { rows: [row] };
}
