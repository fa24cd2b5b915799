/** @file Switch SAEs as amudide/switch_sae saves them: dictionary_learning's `ae.pt` and `config.json` of a class of their own. */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { known } from '../fields.ts';
import { formOf } from '../form.ts';
import type { Layout } from '../layout.ts';
import { openWeightsFile, refuseOtherTensors, transposed } from '../tensors.ts';
import { DICTIONARY_CONFIG, DICTIONARY_WEIGHTS, dictionaryClass, originOf, trainerOf } from './dictionary-learning.ts';

const TENSORS = ['encoder.weight', 'decoder', 'router.weight', 'b_dec', 'b_router'];

export const switchSae: Layout = {
  id: 'switch_sae',
  title: 'switch_sae',
  async claim(place) {
    if (!place.has(DICTIONARY_WEIGHTS)) return undefined;
    return (await dictionaryClass(place)) === 'SwitchAutoEncoder' ? DICTIONARY_WEIGHTS : undefined;
  },
  async open(place, file) {
    const trainer = (await trainerOf(place))!;
    const weights = await openWeightsFile(join(place.folder, file));
    refuseOtherTensors(weights, 'switch_sae', 'SwitchAutoEncoder', TENSORS);
    const [d_in, d_sae] = [trainer.size('activation_dim'), trainer.size('dict_size')];
    // The weights hold neither k nor whether codes are multiplied by their expert's probability.
    const [k, count] = [trainer.size('k'), trainer.size('experts')];
    if (d_sae % count !== 0) trainer.fail('experts', `a divisor of dict_size = ${d_sae}`);
    if (k > d_sae) throw new UserError(`switch_sae ${weights.path}: k: expected at most ${d_sae}, found ${k}.`);
    const form = formOf('switch', { centred: true, experts: { count, heaviside: trainer.flag('heaviside', false) } });
    const sizes = { d_in, d_sae, d_out: d_in, k, advertisedL0: k };
    const config = { architecture: 'SwitchAutoEncoder', ...sizes, ...known(originOf(trainer)), form };
    return {
      facts: config,
      files: [DICTIONARY_CONFIG, file],
      read: async () => ({
        config,
        tensors: {
          W_enc: transposed(await weights.read('encoder.weight', [d_sae, d_in])),
          W_dec: await weights.read('decoder', [d_sae, d_in]),
          b_dec: await weights.read('b_dec', [d_in]),
          W_router: transposed(await weights.read('router.weight', [count, d_in])),
          b_router: await weights.read('b_router', [d_in]),
        },
      }),
    };
  },
};
