/** @file Steering rated by likelihood as a task: what both directions, towards a concept and away from it, have in common. */
import type { TaskDefinition, TaskOutcome } from '../../../harness/contract.ts';
import { allUnavailable } from '../../../harness/kit/index.ts';
import { INTERVENTION_AXIS, SELECTION_AXIS, steeringWays, withoutVector } from '../ways.ts';
import { type Goal, HEADLINES, likelihoodMetrics } from './metrics.ts';
import { LIKELIHOOD_OPTIONS, type LikelihoodOptions } from './options.ts';
import { type LikelihoodShared, prepareLikelihood } from './prepare.ts';
import { steerByLikelihood } from './run.ts';

type Definition = TaskDefinition<LikelihoodOptions, LikelihoodShared>;

/** What a task of the goal is, but for its name. */
export function likelihoodTask(goal: Goal): Omit<Definition, 'id' | 'title' | 'version'> {
  const metrics = likelihoodMetrics(goal);
  const change = goal === 'promote' ? 'Gain in PrefOdds' : 'Drop of PrefOdds';
  return {
    paper: 'Xu et al. 2026 (SPLIT), arXiv:2602.02343',
    options: LIKELIHOOD_OPTIONS,
    metrics,
    words: [],
    axes: {
      selection: `${SELECTION_AXIS}; asked: none, the method asks for the concept in the prompt`,
      intervention: INTERVENTION_AXIS,
    },
    shows: {
      columns: [
        'pref_odds',
        'positive_gain',
        'util_change',
        'util_undefined',
        'perplexity_ratio',
        'kl',
        'factor',
        'at_end',
        'no_factor',
        'fixed_gain',
        'gate_concept',
        'gate_utility',
        'gate_robustness',
        'gates',
        'both_gain',
        'both_lost',
        'both_hold',
      ],
      ranked: { intervention: ['add', 'own', 'none'] },
      chance: 0,
      scatter: {
        x: 'perplexity_ratio',
        y: HEADLINES[goal],
        title: `${change} against its cost`,
        caption: 'A point a method, at the factors that the selection half chose under the bound on utility.',
      },
      curves: {
        'gain-by-factor': {
          title: `${change} against factor`,
          caption: 'Mean over concepts on the selection half, whether a factor keeps the bound on utility or not.',
          x: 'factor',
          y: `${change.toLowerCase().replace('prefodds', 'PrefOdds')} (nats/token)`,
        },
        'utility-by-factor': {
          title: 'Utility against factor',
          caption: 'What bounds the factor, on the selection half: change of UtilOdds, or fall of ln perplexity.',
          x: 'factor',
          y: 'change of utility (nats/token)',
        },
      },
    },
    measure: 'likelihood',
    seeded: false,
    controls: ['random', 'unsteered'],
    unavailable({ subject, site, labelled }) {
      if (!subject) return 'needs the subject: activations were imported';
      if (site.parts) return 'steering acts at one site, not at a joint one';
      if (!labelled) return 'the dataset has no labelled concepts';
      return subject.type === 'lm' ? undefined : 'needs a language model: likelihoods are of texts';
    },
    async prepare(context) {
      if (context.subject?.type !== 'lm') throw new Error('internal: likelihoods were prepared for no language model');
      return { json: await prepareLikelihood(context, context.subject), arrays: {} };
    },
    async run(context) {
      const { subject, prepared, options } = context;
      if (subject?.type !== 'lm') throw new Error('internal: likelihoods were asked of no language model');
      const { concepts } = prepared.json;
      const places = concepts.map(({ place }) => place);
      const pairs = concepts.flatMap(({ selection, reporting }) => [...selection, ...reporting]);
      if (
        options.positions === 'last' &&
        pairs.every(({ positive, negative }) => !positive.prompt && !negative.prompt)
      ) {
        return emptyOutcome("the option positions, 'last', steers prompts alone; the texts of these pairs have none");
      }
      if (context.method.ask) {
        if (goal === 'suppress') return emptyOutcome(`'${context.method.id}' asks for a concept, not against it`);
        const none = places.map(withoutVector);
        return await steerByLikelihood(context, subject, prepared.json, none, ['none'], 'asked', goal);
      }
      const ways = await steeringWays(context, places, options);
      if (typeof ways === 'string') return emptyOutcome(ways);
      const { vectors, selection, kinds } = ways;
      return await steerByLikelihood(context, subject, prepared.json, vectors, kinds, selection, goal);
    },
  };

  function emptyOutcome(reason: string): TaskOutcome {
    const axes = { selection: 'detector', intervention: 'none' };
    return { rows: [{ axes, metrics: {}, unavailable: allUnavailable(metrics, reason) }] };
  }
}
