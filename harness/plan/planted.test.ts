/** @file Subjects that were trained to be steered: which suites steer them, and under which heading. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planSteps, planSuite } from '../plan.ts';
import type { ResolvedSuite } from '../suite/resolved.ts';
import { base, subject, task } from '../testing/resolved.ts';

const test = suite('plan/planted');

test('tasks that steer a planted subject are left out, at every site, unless the suite says what it is a control of', () => {
  const sites = ['blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'];
  const given = base({
    subjects: [subject('lm', { sites, planted: 'a vector after blocks.0' }), subject('other')],
    tasks: [task('detection'), task('steering', { steers: true, prepares: true })],
  });
  const plan = planSuite(given);
  assert.equal(
    plan.sites.map(({ subject, fits, prepares }) => [
      subject.id,
      [...new Set(fits.flatMap(({ evaluations }) => evaluations.map(({ task }) => task.id)))].join(),
      prepares.length,
    ]),
    [
      ['lm', 'detection', 0],
      ['lm', 'detection', 0],
      ['other', 'detection,steering', 1],
    ],
  );
  assert.is(plan.skipped.length, 1);
  assert.equal([plan.skipped[0]!.subject, plan.skipped[0]!.task], ['lm', 'steering']);
  assert.match(plan.skipped[0]!.reason, /\(a vector after blocks\.0\).*run the suite steering-control/);

  const control = planSuite({ ...given, plantedControl: 'recovery' });
  const headed = (steered: string) =>
    control.sites
      .filter(({ subject }) => subject.id === steered)
      .flatMap(({ fits }) =>
        fits.flatMap(({ evaluations }) => evaluations.map((e) => `${e.task.id} ${e.plantedControl}`)),
      );
  assert.equal([...new Set(headed('lm'))], ['detection undefined', 'steering recovery']);
  assert.equal([...new Set(headed('other'))], ['detection undefined', 'steering undefined']);
  assert.equal(control.skipped, []);
  // No number depends on the heading, nor on what a card says.
  const plain = { ...given, subjects: [subject('lm', { sites }), subject('other')] };
  const keysOf = (given: ResolvedSuite) => planSteps(planSuite(given)).map(({ key }) => key);
  assert.equal(keysOf({ ...given, plantedControl: 'recovery' }), keysOf(plain));
});

test('a planted subject of which a suite asks for nothing but steering is left out whole', () => {
  const given = base({
    subjects: [subject('lm', { planted: 'x' }), subject('other')],
    tasks: [task('steering', { steers: true })],
  });
  assert.equal(
    planSuite(given).sites.map(({ subject }) => subject.id),
    ['other'],
  );
});

test.run();
