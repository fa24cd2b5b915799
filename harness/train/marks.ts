/** @file When a training run is marked: what a reader of its results must know, by fixed rules. */
import type { Controller, Mark } from '../contract.ts';
import type { HeldOutPoint } from './held-out.ts';

/** Largest distance of L0 from its target, as a part of the target. */
const L0_TOLERANCE = 0.1;
/** Largest part of the latents that may be dead. */
const DEAD = 0.2;
/**
 * Under-trained: in the second half of the steps before the learning rate began to fall, explained variance on held-out
 * rows rose by more than `rise`, and what is left unexplained fell by more than the part `fall` of it. TopK on tiny-lm-planted
 * rises by 0.07 and falls by 27 % in 195 steps, by 0.02 and 15 % in 1,562.
 */
const STEEP = { rise: 0.06, fall: 0.25 };

/** What the rules read. */
export interface TrainingFacts {
  /** Null: no target. */
  targetL0: number | null;
  /** On held-out rows, or over the last tenth of training where there are none. */
  l0: number;
  l0Of: 'held-out rows' | 'the last tenth of training';
  /** Part of the latents that did not fire once in the last `silentTokens` tokens. */
  silent: number;
  silentTokens: number;
  /** Part of the latents that the trained dictionary fires on none of all training rows, where they are few enough to look. */
  silentOnAll?: number;
  /** Those rows. */
  rows?: number;
  controllers: readonly Controller[];
  /** Looks at held-out rows, in order. */
  heldOut: readonly HeldOutPoint[];
  /** The step at which the learning rate began to fall. */
  decayStart: number;
}

const percent = (part: number) => `${(100 * part).toFixed(0)} %`;
const number = (value: number) => Number(value.toPrecision(3)).toString();

/** A controller that stands at an end of its range has lost its grip: the value it wanted lies outside. */
function atBound({ name, value, low, high }: Controller): Mark[] {
  if (value > low && value < high) return [];
  const bound = value <= low ? `lower bound ${number(low)}` : `upper bound ${number(high)}`;
  return [{ code: 'controller-at-bound', message: `The controller of ${name} ended at its ${bound}.` }];
}

function offTarget({ targetL0, l0, l0Of }: TrainingFacts): Mark[] {
  if (targetL0 === null || Math.abs(l0 - targetL0) <= L0_TOLERANCE * targetL0) return [];
  const off = percent(Math.abs(l0 / targetL0 - 1));
  const message = `L0 is ${number(l0)} on ${l0Of}, ${off} ${l0 > targetL0 ? 'above' : 'below'} the target of ${number(targetL0)}.`;
  return [{ code: 'l0-off-target', message }];
}

/** What brings dead latents back can make each fire now and then in training: the trained dictionary must fire them too. */
function dead({ silent, silentTokens, silentOnAll = 0, rows = 0 }: TrainingFacts): Mark[] {
  if (Math.max(silent, silentOnAll) <= DEAD) return [];
  const message =
    silentOnAll > silent
      ? `${percent(silentOnAll)} of the latents fire on none of the ${rows.toLocaleString('en')} training rows.`
      : `${percent(silent)} of the latents did not fire once in the last ${silentTokens.toLocaleString('en')} tokens of training.`;
  return [{ code: 'dead-latents', message }];
}

function underTrained({ heldOut, decayStart }: TrainingFacts): Mark[] {
  const upTo = (step: number) => heldOut.filter((point) => point.step <= step).at(-1);
  const [half, full] = [upTo(Math.ceil(decayStart / 2)), upTo(decayStart)];
  if (!half || !full || half.step === full.step) return [];
  const rise = full.explained_variance - half.explained_variance;
  if (!(rise > STEEP.rise && rise > STEEP.fall * (1 - half.explained_variance))) return [];
  const ev = (point: HeldOutPoint) => point.explained_variance.toFixed(3);
  const message =
    `Under-trained: from step ${half.step} to ${full.step}, before the learning rate began to fall, explained variance ` +
    `on held-out rows still rose from ${ev(half)} to ${ev(full)}; train on more tokens or with a smaller batch.`;
  return [{ code: 'under-trained', message }];
}

/** The marks of a run, in a fixed order. */
export function trainingMarks(facts: TrainingFacts): Mark[] {
  return [...facts.controllers.flatMap(atBound), ...offTarget(facts), ...dead(facts), ...underTrained(facts)];
}
