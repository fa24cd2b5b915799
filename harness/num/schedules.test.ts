/** @file Hand-computed points of each schedule. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ScheduleConfig, scheduleMultiplier } from './schedules.ts';

const test = suite('schedules');
const at = (config: ScheduleConfig, total: number, steps: number[]) =>
  steps.map((step) => Number(scheduleMultiplier(config, step, total).toFixed(12)));

test('an empty config is constant', () => {
  assert.equal(at({}, 10, [0, 5, 9]), [1, 1, 1]);
});

test('linear warm-up ends at 1 on its last step', () => {
  assert.equal(at({ warmup: 4 }, 10, [0, 1, 2, 3, 4]), [0.25, 0.5, 0.75, 1, 1]);
  assert.equal(at({ warmup: 2, warmupFrom: 0.5 }, 10, [0, 1, 2]), [0.75, 1, 1]);
});

test('cosine warm-up from a tenth', () => {
  assert.equal(at({ warmup: 2, warmupFrom: 0.1, warmupShape: 'cosine' }, 10, [0, 1]), [0.55, 1]);
});

test('linear decay over the last fifth reaches 0 one past the end', () => {
  const config: ScheduleConfig = { decay: 'linear', decayFraction: 0.2 };
  assert.equal(at(config, 100, [0, 80, 90, 99, 100]), [1, 1, 0.5, 0.05, 0]);
});

test('cosine decay from the end of warm-up to a floor', () => {
  const config: ScheduleConfig = { warmup: 10, decay: 'cosine', decayTo: 0.2 };
  assert.equal(at(config, 110, [9, 10, 60, 110, 200]), [1, 1, 0.6, 0.2, 0.2]);
});

test('decay waits for warm-up when they would overlap', () => {
  assert.equal(at({ warmup: 8, decay: 'linear', decayFraction: 0.5 }, 10, [5, 7, 8, 9]), [0.75, 1, 1, 0.5]);
});

test.run();
