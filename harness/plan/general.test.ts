/** @file Methods that are trained on general text: what they are fitted on, what they are scored on, and when they are left out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planSteps, planSuite } from '../plan.ts';
import type { ResolvedSubject, ResolvedSuite } from '../suite/resolved.ts';
import { base, method, subject, task } from '../testing/resolved.ts';

const test = suite('plan/general');

/** Labels of the steps of `b` that `a` does not have. */
function newSteps(a: ResolvedSuite, b: ResolvedSuite): string[] {
  const known = new Set(planSteps(planSuite(a)).map(({ key }) => key));
  return planSteps(planSuite(b)).flatMap(({ key, kind, label }) => (known.has(key) ? [] : [`${kind} ${label}`]));
}

test('a method trained on general text: other activations to fit on, the same to be scored on; without such text it is left out', () => {
  const words = subject('lm').dataset;
  const onText = (general?: ResolvedSubject['general']) =>
    base({
      subjects: [subject('lm', general ? { general } : {})],
      tasks: [task('detection', { comparesGeneral: true })],
      methods: [
        method('topk', { kind: 'sae', seeded: true, options: { k: 4 } }),
        method('topk', { kind: 'sae', seeded: true, options: { k: 4 }, name: 'topk-general', general: true }),
        method('topk', { kind: 'sae', seeded: true, options: { k: 8 }, name: 'topk-8' }),
      ],
    });
  const suite = onText({ ...words, fingerprint: 'general-1', hasConcepts: false });
  const plan = planSuite(suite);
  const [own, , other, , wider] = plan.sites[0]!.fits;
  assert.is(other!.method.name, 'topk-general');
  assert.is.not(own!.key, other!.key);
  assert.is.not(own!.identity, other!.identity);
  assert.ok(other!.general !== undefined && other!.general !== plan.sites[0]!.activations.train);
  assert.is(own!.evaluations[0]!.general?.key, other!.key, 'of the same options and seed');
  assert.equal(
    [other, wider].map((fit) => fit!.evaluations[0]!.general),
    [undefined, undefined],
  );
  const place = 'lm blocks.0.hook_resid_post';
  const renewed = newSteps(suite, onText({ ...words, fingerprint: 'general-2', hasConcepts: false }));
  assert.equal(
    [...new Set(renewed.map((label) => label.replace(/ seed \d/, '')))],
    [
      `activations ${place} general`,
      `fit ${place} topk-general`,
      `evaluate ${place} topk detection`,
      `evaluate ${place} topk-general detection`,
    ],
  );
  const without = planSuite(onText({ reason: 'offline' }));
  assert.equal([...new Set(without.sites[0]!.fits.map(({ method: { name } }) => name))], ['topk', 'topk-8']);
  assert.equal(without.skipped, [
    { subject: 'lm', method: 'topk-general', reason: 'needs general data to be trained on: offline' },
  ]);
  assert.is(without.sites[0]!.fits[0]!.key, own!.key, 'what is trained on the dataset is the same');
  assert.match(planSuite(onText()).skipped[0]!.reason, /the suite names none as the subject's 'general'/);
});

test.run();
