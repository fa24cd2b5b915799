/** @file What results of human assessments measure, and what their tables show. */
import type { MetricDefinition, TaskDisplay } from '../contract/task.ts';
import { NO_NAME, PROTOCOLS, type ProtocolId } from './protocols.ts';

/** Raised whenever a number of an assessment comes to mean something else. */
export const ASSESSMENT_VERSION = 2;

/** The baselines that must stand beside the methods, blinded like them. */
export const CONTROLS = ['random', 'soft-frozen-decoder', 'neurons'] as const;
export type Control = (typeof CONTROLS)[number];

/** The name of the metric that compares with a control. */
export const aboveControl = (control: Control): string => `above_${control.replaceAll('-', '_')}`;

const RIGHT: Readonly<Record<ProtocolId, string>> = {
  intruder: 'answers that name the intruder among five items',
  pair: 'comparisons with latents of other methods in which the latent of this method was chosen as the more focused one',
  detection: 'answers that say rightly whether an item fires the latent',
  fuzzing: 'answers that say rightly whether the tokens marked are those that fire the latent',
  name: `names that share a word with the concept that the latent tells best on training items ('${NO_NAME}' is not right)`,
};

const share = (description: string, rest: Partial<MetricDefinition> = {}): MetricDefinition => ({
  ...{ description, direction: 'none', range: [0, 1], unit: '', version: ASSESSMENT_VERSION },
  ...rest,
});

const correlation = (what: string, over: string): MetricDefinition => ({
  description: `Spearman correlation of the share of right answers about a latent with ${what}, over all latents of the set; interval over ${over}.`,
  ...{ direction: 'none', range: [-1, 1], unit: '', version: ASSESSMENT_VERSION },
});

/** Metrics of a protocol by name. */
export function assessmentMetrics(protocol: ProtocolId): Record<string, MetricDefinition> {
  const over = protocol === 'pair' ? 'pairs' : 'latents';
  const chance = protocol === 'name' ? 'names dealt to any latent of the set' : 'guesses';
  const above = (what: string): MetricDefinition => ({
    description: `The share of right answers less ${what}; interval over raters and ${over}.`,
    ...{ direction: 'max', range: [-1, 1], unit: '', version: ASSESSMENT_VERSION },
  });
  return {
    accuracy: share(`Share of ${RIGHT[protocol]}; interval over raters and ${over} (bootstrap-t).`, {
      direction: 'max',
      main: true,
    }),
    above_chance: above(`that of ${chance}`),
    ...Object.fromEntries(
      CONTROLS.map((control) => [aboveControl(control), above(`that of ${control} by the same raters`)]),
    ),
    alpha: {
      description:
        "Krippendorff's α of the raters on the method's items" +
        (protocol === 'name' ? ' (names lie as far apart as words that they do not share)' : ' (same or not)') +
        '; interval over latents.',
      ...{ direction: 'max', range: [null, 1], unit: '', version: ASSESSMENT_VERSION },
    },
    retest: share(
      'Share of repeated questions, of all methods of the set, that raters answered the second time as the first.',
      {
        direction: 'max',
      },
    ),
    spearman_ms: correlation('its MS score', over),
    spearman_detection: correlation('the AUROC of the concept that it tells best', over),
    ...(protocol === 'pair'
      ? {
          ms_agreement: share(
            'Share of answers that chose the latent with the higher MS score, over all pairs of the set.',
          ),
        }
      : {}),
    ...(protocol === 'name'
      ? {
          named: share(`Share of answers that give a name, not '${NO_NAME}'.`),
          collisions: share(
            'Share of named latents of the method whose commonest name another of its latents has too.',
            {
              direction: 'min',
            },
          ),
        }
      : {}),
    seconds: {
      description: 'Median time of an answer.',
      ...{ direction: 'none', range: [0, null], unit: 's', version: ASSESSMENT_VERSION, measured: true },
    },
    raters: {
      description: 'Raters who passed the attention checks and answered about the method.',
      ...{ direction: 'none', range: [0, null], unit: '', version: ASSESSMENT_VERSION, counted: true },
    },
    latents: {
      description: 'Latents of the method that were answered about.',
      ...{ direction: 'none', range: [0, null], unit: '', version: ASSESSMENT_VERSION, counted: true },
    },
  };
}

/** What tables show of a protocol. */
export function assessmentDisplay(protocol: ProtocolId): TaskDisplay {
  const { chance } = PROTOCOLS[protocol];
  const own = protocol === 'pair' ? ['ms_agreement'] : protocol === 'name' ? ['named', 'collisions'] : [];
  return {
    columns: [
      ...['accuracy', 'above_chance', ...CONTROLS.map(aboveControl), 'alpha', 'retest'],
      ...['spearman_ms', 'spearman_detection', ...own, 'seconds', 'raters', 'latents'],
    ],
    ...(chance === null ? {} : { chance }),
  };
}

/** The id that results of a protocol stand under. */
export const assessmentId = (protocol: ProtocolId): string => `human-${protocol}`;
