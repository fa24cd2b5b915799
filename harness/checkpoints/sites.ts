/** @file Names of sites as programs write them, brought to the ones that are used here: `blocks.10.hook_mlp_out`. */

/** A layer's number between the names that frameworks give to layers and to what is in them. */
const MODULE =
  /^(?:(?:model|transformer|gpt_neox|base_model|language_model|vision_model|encoder)\.)*(?:layers|layer|h|blocks)[._](\d+)(?:[._](.+))?$/;

/** What of a layer a module's output is. */
const OUTPUTS: Readonly<Record<string, string>> = {
  mlp: 'hook_mlp_out',
  attn: 'hook_attn_out',
  attention: 'hook_attn_out',
  self_attn: 'hook_attn_out',
};

/** As benchmarks name submodules: `resid_post_layer_8`, `mlp_layer_3`. */
const LABELLED = /^(resid_post|resid_pre|mlp|mlp_out|attn|attn_out|attention)_layer_?(\d+)$/;

/** The site of a name; a name that none of the patterns fits stays as it is. */
export function siteOf(name: string | undefined): string | undefined {
  if (name === undefined || /(^|\.)hook_/.test(name)) return name;
  const labelled = LABELLED.exec(name);
  if (labelled) {
    const [, what, layer] = labelled;
    const hook = OUTPUTS[what!] ?? `hook_${what}`;
    return `blocks.${layer}.${hook}`;
  }
  const [, layer, inner] = MODULE.exec(name) ?? [];
  if (layer === undefined) return name;
  if (inner === undefined) return `blocks.${layer}.hook_resid_post`;
  const hook = OUTPUTS[inner];
  return hook === undefined ? name : `blocks.${layer}.${hook}`;
}
