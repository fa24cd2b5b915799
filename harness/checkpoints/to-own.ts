/** @file What SAELens has no word for in this project's own layout, where one of its variants computes the same. */
import type { Checkpoint } from './form.ts';

/** A variant with the hyper-parameters and tensors that its form says, or what stands in the way. */
export type OwnForm =
  | { variant: string; hp: Record<string, unknown>; tensors: Checkpoint['tensors'] }
  | { missing: string };

/** The variant that computes what a checkpoint does. */
export function ownForm({ config, tensors }: Checkpoint): OwnForm {
  const { form, k, d_in, d_out } = config;
  const { activation, experts, heads, centred, rows } = form;
  if (rows) return { missing: 'rows that are scaled by themselves' };
  if (experts) {
    if (experts.heaviside) return { missing: 'codes that are not multiplied by their expert’s probability' };
    return { variant: 'switch', hp: { k, experts: experts.count }, tensors };
  }
  if (heads) {
    // Ours subtracts b_dec: the same only where it does too, or there is none.
    const biased = tensors['b_dec']!.data.some((value) => value !== 0);
    if (biased && !centred) return { missing: 'a KronSAE whose b_dec is not subtracted from its input' };
    return { variant: 'kron', hp: { k, m: heads.m, n: heads.n, heads: heads.heads }, tensors };
  }
  if (activation === 'topk' && form.transcodes && !centred && !form.rescaleByDecoderNorm) {
    const none = { shape: [d_out, d_in], data: new Float32Array(d_out * d_in) };
    return { variant: 'skip-transcoder', hp: { k }, tensors: { W_skip: none, ...tensors } };
  }
  return { missing: `the activation ${activation} of this form` };
}
