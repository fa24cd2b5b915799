/** @file Results of assessments but for their rows: what the run knows of a method, its subject and its data. */
import { resultWith } from '../execute/evaluate.ts';
import type { SiteFacts } from '../execute/site-facts.ts';
import { sha256Json } from '../io/hash.ts';
import type { Evaluation, Plan, SitePlan } from '../plan.ts';
import type { RunProvenance } from '../provenance.ts';
import type { Result } from '../schema/result.generated.ts';
import type { DrawnMethod } from './draw-set.ts';
import { ASSESSMENT_VERSION, assessmentDisplay, assessmentId, assessmentMetrics } from './metrics.ts';
import { PROTOCOLS, type ProtocolId } from './protocols.ts';

/** A result of the method without rows; its key and the hashes of its settings are those of the questions alone. */
export function resultTemplate(
  plan: Plan,
  sitePlan: SitePlan,
  { fit, d_sae }: DrawnMethod,
  protocol: ProtocolId,
  options: Record<string, unknown>,
  facts: SiteFacts,
  provenance: RunProvenance,
): Result {
  const id = assessmentId(protocol);
  const definition = { axes: {}, metrics: assessmentMetrics(protocol), shows: assessmentDisplay(protocol) };
  const asked = { id, version: ASSESSMENT_VERSION, options, test: sitePlan.activations.test };
  const table = sha256Json(asked);
  const known = sitePlan.fits.flatMap(({ evaluations }) => evaluations)[0]?.settings.data;
  const evaluation: Evaluation = {
    key: sha256Json({ ...asked, fit: fit.key }),
    task: {
      ...{ id, title: PROTOCOLS[protocol].title, version: ASSESSMENT_VERSION, options, optionsPassed: options },
      ...{ seeded: false, prepares: false, controls: [] },
    },
    ...{ seed: fit.seed, taskSeed: 0 },
    settings: { row: sha256Json({ ...asked, fit: fit.setting }), table, ...(known ? { data: known } : {}) },
  };
  const meta = { run: provenance, ...facts, d_sae, seconds: {} };
  return resultWith(plan, sitePlan, fit, evaluation, { rows: [] }, meta, definition);
}
