/** @file Rules as people write them, and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../harness/errors.ts';
import { smallRun } from '../testing/results.ts';
import { checkRules, parseRule } from './rules.ts';

const test = suite('rules of comparisons');
const refused = (text: string): string => {
  try {
    checkRules([parseRule(text, '--fail-if')], smallRun());
  } catch (error) {
    assert.instance(error, UserError);
    return (error as Error).message;
  }
  throw new Error(`${text} passed`);
};

test('every form is read', () => {
  const { text: _, ...rule } = parseRule(' auroc  drops 0.02 at 95% ', '');
  assert.equal(rule, { metric: 'auroc', kind: 'drops', amount: 0.02, relative: false, alpha: 1 - 0.95 });
  const all = parseRule('concept-detection.auroc of topk,relu worsens by 5% at 99 %', '');
  assert.equal([all.task, all.methods, all.kind], ['concept-detection', ['topk', 'relu'], 'worsens']);
  assert.equal([all.amount, all.relative, all.alpha], [5, true, 1 - 0.99]);
  const margin = parseRule('main not within 0.02', '');
  assert.equal([margin.metric, margin.kind, margin.amount, margin.alpha], ['main', 'not within', 0.02, 1 - 0.95]);
  assert.equal(parseRule('reconstruction.l0 changes', '').amount, 0);
  assert.equal(parseRule('auroc drops at 95%', '').amount, 0);
});

test('what is no rule is refused with one that is', () => {
  for (const text of [
    '',
    'auroc',
    'auroc falls 2',
    'auroc drops -1',
    'auroc drops 0.02 at 95',
    'auroc drops 0.02 at all',
    'drops 1',
  ])
    assert.match(refused(text), /--fail-if: expected a rule such as 'auroc drops 0.02 at 95%'/, text);
  assert.match(refused('auroc drops at 100%'), /expected a level of 50 % to below 100 %; found 100 %/);
  assert.match(refused('auroc drops at 5%'), /level/);
  assert.match(refused('auroc not within 0'), /margin above 0/);
});

test('names that neither run has are refused: such a rule would never fail', () => {
  assert.match(
    refused('auroq drops'),
    /rule 'auroq drops': expected a metric of the runs; found 'auroq'. Did you mean: auroc/,
  );
  assert.match(refused('concept-detektion.auroc drops'), /expected a task of the runs; .*concept-detection/);
  assert.match(refused('auroc of relo drops'), /expected a method of the runs; found 'relo'. Did you mean: relu/);
  assert.match(refused('steering.auroc drops'), /expected a metric of the runs; found 'auroc'/);
  assert.match(refused('l0 worsens'), /of l0 neither more nor less is better/);
});

test.run();
