/** @file Sets of assessments without a run: methods of random latents, their questions, keys, and raters of known skill. */
import { resultOf } from '../../reports/testing/runs.ts';
import type { RenderedQuestion } from '../assess/compose.ts';
import type { DrawnSet } from '../assess/draw-set.ts';
import { type Firing, firingOn } from '../assess/firing.ts';
import { assessmentDisplay, assessmentId, assessmentMetrics } from '../assess/metrics.ts';
import { PROTOCOLS, type ProtocolId } from '../assess/protocols.ts';
import { type AskedLatent, drawQuestions, moreFocused, type Shown } from '../assess/questions.ts';
import type { Rating } from '../assess/ratings.ts';
import { sampleLatents } from '../assess/sample.ts';
import { type SealedSet, sealSet } from '../assess/seal.ts';
import { windowOf } from '../assess/window.ts';
import { csrFromDense } from '../num/csr.ts';
import { createRng, type Rng } from '../num/rng.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import type { Result } from '../schema/result.generated.ts';

const ITEMS = 60;
const LATENTS = 40;
const TOKENS = 30;
const WINDOW = 12;

/** Latents that fire on 5 to 60 % of the items. */
function randomFiring(rng: Rng): Firing {
  const dense = new Float32Array(ITEMS * LATENTS);
  for (let f = 0; f < LATENTS; f++) {
    const density = 0.05 + (0.55 * f) / LATENTS;
    for (let i = 0; i < ITEMS; i++) if (rng.uniform() < density) dense[i * LATENTS + f] = rng.uniform() + 0.01;
  }
  const max = csrFromDense(dense, ITEMS, LATENTS);
  const pooled = { kind: 'sparse' as const, max, items: ITEMS, d_sae: LATENTS, l0: 1 };
  return firingOn(
    pooled,
    Uint32Array.from({ length: ITEMS }, (_, i) => i),
    0.1,
  );
}

/** Each token is two characters. */
function exampleOf(protocol: ProtocolId, { method, latent, item, marks }: Shown, rng: Rng) {
  const own = createRng(`${method} ${latent} ${item}`);
  const values = Float32Array.from({ length: TOKENS }, () => Math.max(0, own.normal() - 0.5));
  const pieces = Array.from({ length: TOKENS }, (_, t) => ` ${String.fromCharCode(97 + ((item + t) % 26))}`);
  const { peak = 'middle' } = PROTOCOLS[protocol];
  return { text: windowOf({ pieces, values }, { length: WINDOW, threshold: 0, marks, peak }, rng) };
}

/** Questions about latents of methods with these ids. */
export function drawnQuestions(protocol: ProtocolId, methods: readonly string[], latents: number, rng: Rng) {
  const [asked, spare]: [AskedLatent[], AskedLatent[]] = [[], []];
  for (const [method, id] of methods.entries()) {
    const firing = randomFiring(rng.fork(`firing ${id}`));
    const least = PROTOCOLS[protocol].texts;
    const sample = sampleLatents(firing, { count: latents, least }, rng.fork(id));
    asked.push(...sample.chosen.map((each) => ({ ...each, method })));
    spare.push(...sample.spare.map((each) => ({ ...each, method })));
  }
  const material = { protocol, modality: 'text' as const, items: ITEMS, latents: asked, spare };
  return { asked, drawn: drawQuestions(material, rng.fork('questions')) };
}

/** A drawn set of methods with these ids. */
function drawnSet(protocol: ProtocolId, methods: readonly string[], latents: number, seed: number): DrawnSet {
  const rng = createRng(seed).fork('drawn');
  const { asked, drawn } = drawnQuestions(protocol, methods, latents, rng);
  const ms = (place: number) => (place % 7) / 7;
  const questions = protocol === 'pair' ? moreFocused(drawn, ms) : drawn;
  const rendered = questions.map(({ references, groups, ...rest }, i): RenderedQuestion => {
    const each = (shown: readonly Shown[]) => shown.map((one) => exampleOf(protocol, one, rng.fork(`window ${i}`)));
    return { ...rest, references: each(references), groups: groups.map(each) };
  });
  return {
    ...{ modality: 'text' as const, rule: ['at random'], left: [], questions: rendered },
    methods: methods.map((id) => ({ fit: { key: id } as never, d_sae: LATENTS, eligible: LATENTS })),
    latents: asked.map(({ method, latent, density }, i) => ({
      ...{ method, latent, density, ms: ms(i) },
      detection: {
        concept: `c${i % 5}`,
        label: ['red circle', 'heart', 'sport', 'finance', 'night'][i % 5]!,
        auroc: 0.5 + (i % 10) / 20,
      },
    })),
  };
}

/** The set with a result of each method as the run of the fixtures has it. */
export function sealedSet(protocol: ProtocolId, methods: readonly string[], latents: number, seed = 0): SealedSet {
  const drawn = drawnSet(protocol, methods, latents, seed);
  const templates = methods.map((id): Result => {
    const result = resultOf(id, 0, [0.5]);
    return {
      ...result,
      method: { ...result.method, id },
      task: {
        ...{ id: assessmentId(protocol), title: PROTOCOLS[protocol].title, version: 1, options: {}, axes: {} },
        ...{ metrics: result.task.metrics, shows: assessmentDisplay(protocol) as never },
      },
      rows: [],
    };
  });
  for (const { task } of templates) task.metrics = assessmentMetrics(protocol) as never;
  return sealSet(drawn, templates, { protocol, seed, run: '..' });
}

/** Answers of raters who know with the probability `skill` of each method, and guess otherwise. */
export function simulatedRatings(
  key: AssessmentKey,
  choices: number,
  raters: number,
  skill: readonly number[],
  rng: Rng,
): Rating[] {
  return Array.from({ length: raters }, (_, r) =>
    key.items.map(({ id, kind, latents, gold }): Rating => {
      const guess =
        key.protocol === 'detection' || key.protocol === 'fuzzing'
          ? rng.choice(['yes', 'no'])
          : String(1 + rng.int(choices));
      const knows = kind === 'check' || rng.uniform() < skill[key.latents[latents[0]!]!.method]!;
      return { rater: `rater ${r}`, item: id, answer: knows && gold !== null ? gold : guess, seconds: 4 };
    }),
  ).flat();
}
