/** @file Methods that reconstruct another site than the one they read, in the plan. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Plan, planSteps, planSuite } from '../plan.ts';
import type { ResolvedMethod } from '../suite/resolved.ts';
import { base, method, subject, task } from '../testing/resolved.ts';

const test = suite('plan/targets');

test('a method that reconstructs another site: its keys depend on it, those of all others do not', () => {
  const reading = task('reconstruction', { prepares: true, readsTarget: true });
  const indifferent = task('detection', { prepares: true });
  const plain = method('topk', { kind: 'sae', seeded: true });
  const withTarget = (target: string) =>
    method('topk', { kind: 'sae', seeded: true, name: 'other', target, options: { target } });
  const planned = (...methods: ResolvedMethod[]) => planSuite(base({ methods, tasks: [reading, indifferent] }));
  const [without, a, b] = [planned(plain), planned(plain, withTarget('site.a')), planned(plain, withTarget('site.b'))];
  const fitOf = (plan: Plan, name: string) => plan.sites[0]!.fits.find((fit) => fit.method.name === name)!;
  for (const plan of [a, b]) {
    assert.equal(plan.sites[0]!.activations, without.sites[0]!.activations);
    assert.equal(fitOf(plan, 'topk'), fitOf(without, 'topk'));
  }
  const [one, other] = [fitOf(a, 'other'), fitOf(b, 'other')];
  assert.is(one.target!.site, 'site.a');
  assert.is.not(one.key, other.key);
  assert.is.not(one.identity, other.identity);
  const prepareOf = ({ evaluations }: typeof one, id: string) =>
    evaluations.find(({ task }) => task.id === id)!.prepare;
  assert.is(
    prepareOf(one, 'detection'),
    prepareOf(fitOf(a, 'topk'), 'detection'),
    'what is of the input site is shared',
  );
  assert.is.not(prepareOf(one, 'reconstruction'), prepareOf(fitOf(a, 'topk'), 'reconstruction'));
  assert.is.not(prepareOf(one, 'reconstruction'), prepareOf(other, 'reconstruction'));
  const collected = planSteps(a).filter(({ kind }) => kind === 'activations');
  assert.equal(
    collected.slice(-2).map(({ key }) => key),
    [one.target!.activations.train, one.target!.activations.test],
  );
});

test('a second site is not to be had of imported activations', () => {
  const imported = subject('dump', { family: 'imported' });
  const plan = planSuite(
    base({
      subjects: [imported],
      methods: [method('topk', { kind: 'sae', target: 'site.a' })],
      tasks: [task('reconstruction')],
    }),
  );
  assert.equal(plan.sites[0]!.fits, []);
  assert.match(
    plan.skipped[0]!.reason,
    /^needs a second site to reconstruct, 'site.a': activations that were made elsewhere/,
  );
});

test.run();
