/** @file Mistakes on the command line that no command may take for something else: each is one line with the mend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mistake } from '../testing/command-line.ts';

const test = suite('mistakes on the command line');

const MISTAKES: [given: string[], told: RegExp][] = [
  [['run', '--overwrite=1'], /^run: expected --overwrite or --no-overwrite; found '--overwrite=1'\.$/],
  [['run', '--dry-run=yes'], /^run: expected --dry-run or --no-dry-run; found '--dry-run=yes'\.$/],
  [['store', 'gc', '--yes='], /^store: expected --yes or --no-yes; found '--yes='\.$/],
  [['run', '--overwrit'], /unknown flag --overwrit\. Did you mean: --overwrite\?/],
  [['run', '--option', 'topk.kk=3'], /unknown key 'kk'\. Did you mean: k\?/],
  [['run', '--option', 'topk.k=3', '--option', 'topk.k=4'], /'topk\.k' is given twice; keep one\.$/],
  [['store', 'gc', '--results', 'here'], /^store gc: --results says where --unused looks: give that too\.$/],
  [['validate', ''], /^validate: expected <file>; found ""\.$/],
  [['ls', ''], /^ls: expected <kind>; found ""\.$/],
  [['train', '--dataset-option', 'train=48'], /--sae|--dataset/],
  [
    ['run', '--subject', 'tiny-lm-planted', '--site', 'blocks.2.hook_resid_post', '--only', 'tasks=steering'],
    /^nothing to run: tiny-lm-planted steering: trained with interventions \(one vector a theme.*: run the suite steering-control/,
  ],
  [
    ['run', '--subject', 'tiny-lm', '--site', 'blocks.2.hook_resid_post'],
    /^unknown subject 'tiny-lm': that model is now called 'tiny-lm-planted'/,
  ],
];

for (const [given, told] of MISTAKES) {
  test(given.join(' '), async () => {
    assert.match(await mistake(...given), told);
  });
}

test.run();
