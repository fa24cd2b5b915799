/** @file `saxbench convert`: a checkpoint of any layout written in SAELens', or where that has no word for it in our own. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { known } from '../checkpoints/fields.ts';
import type { Checkpoint, CheckpointConfig } from '../checkpoints/form.ts';
import type { FoundCheckpoint } from '../checkpoints/open.ts';
import { UserError } from '../errors.ts';
import type { Command, CommandContext } from './command.ts';

const WRITTEN = ['cfg.json', 'sae_weights.safetensors', 'sae.json', 'sae.safetensors'];

/** @throws UserError unless the folder is new or empty, or holds only what is written there and may be replaced. */
async function refuseFull(out: string, overwrite: boolean): Promise<void> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new UserError(`convert: --out ${out}: expected a folder; found something else.`);
  });
  const other = names.find((name) => !WRITTEN.includes(name));
  if (other !== undefined)
    throw new UserError(`convert: --out ${out}: expected a new or empty folder; found ${other} in it.`);
  if (names.length === 0 || overwrite) return;
  throw new UserError(`convert: --out ${out}: holds an SAE; name another folder, or add --overwrite.`);
}

/** No file of another layout stays beside the new ones. */
async function clear(out: string): Promise<void> {
  for (const name of WRITTEN) await rm(join(out, name), { force: true });
}

/** Site and model where the person says them: many files do not. What takes the place of the files' own word is said. */
function withOrigin(config: CheckpointConfig, { values, say }: CommandContext): CheckpointConfig {
  const [site, ...more] = (values['site'] ?? []) as string[];
  if (more.length > 0) throw new UserError(`convert: expected one --site; found ${more.length + 1}.`);
  const model = values['subject'] as string | undefined;
  const given = known({ hook_name: site, model_name: model });
  for (const [name, flag] of [
    ['hook_name', '--site'],
    ['model_name', '--subject'],
  ] as const) {
    const [own, word] = [config[name], given[name]];
    if (own !== undefined && word !== undefined && own !== word)
      say(`convert: ${flag} ${word} takes the place of ${own}, which the files say.`);
  }
  return { ...config, ...given };
}

/** @throws UserError when no variant computes it, or site or model are not known. */
async function writeOwn(checkpoint: Checkpoint, missing: string, out: string): Promise<string> {
  const { ownForm } = await import('../checkpoints/to-own.ts');
  const { openRegistry } = await import('../registry.ts');
  const { resolveOptions } = await import('../options.ts');
  const { writeOwnSae } = await import('../train/own-layout.ts');
  const own = ownForm(checkpoint);
  if ('missing' in own) {
    throw new UserError(
      `convert: SAELens has no word for ${missing}, nor has a variant of saxbench for ${own.missing}.`,
    );
  }
  const { d_in, d_sae, d_out, hook_name, hook_name_out, model_name } = checkpoint.config;
  if (hook_name === undefined || model_name === undefined) {
    const flag = hook_name === undefined ? '--site blocks.8.hook_resid_post' : '--subject gpt2';
    throw new UserError(
      `convert: saxbench's own layout needs site and model, which the files do not say: add ${flag}.`,
    );
  }
  const definition = await openRegistry().get('sae', own.variant);
  const hp = await resolveOptions(definition.hyperparameters, own.hp, `convert: hyper-parameters of ${own.variant}`);
  const shape = { d_in, d_sae, d_out };
  const { version } = definition;
  const state = { tensors: own.tensors, json: { variant: own.variant, hp, shape } };
  await clear(out);
  const origin = { hook_name, ...(hook_name_out === undefined ? {} : { hook_name_out }), model_name };
  await writeOwnSae(out, { variant: own.variant, version, shape, hp, ...origin }, state);
  return `saxbench's own layout (${own.variant}), as SAELens has no word for ${missing}`;
}

/** @returns What was written, in words. */
async function write(found: FoundCheckpoint, context: CommandContext, out: string): Promise<string> {
  if (found.own)
    throw new UserError(`convert: ${found.folder} is of the plug-in '${found.own.variant}', in saxbench's own layout.`);
  const read = await found.read();
  const checkpoint = { ...read, config: withOrigin(read.config, context) };
  const { missingInSaeLens, toSaeLens } = await import('../checkpoints/to-saelens.ts');
  const missing = missingInSaeLens(checkpoint);
  if (missing !== undefined) return writeOwn(checkpoint, missing, out);
  const { writeSaeLensFolder } = await import('../train/saelens-write.ts');
  const { architecture } = found.facts;
  const sae = toSaeLens(checkpoint, { saxbench_converted_from: { layout: found.layout.id, architecture } });
  await clear(out);
  await writeSaeLensFolder(out, sae);
  return `SAELens' layout (${sae.architecture})`;
}

export const command: Command = {
  name: 'convert',
  usage: 'convert <checkpoint>',
  summary: 'Write a trained SAE of another program in SAELens’ layout',
  positionals: { checkpoint: { description: 'Its folder or file of weights, or hub:OWNER/REPO/PATH@REVISION' } },
  examples: [
    ['saxbench convert ./ae-folder --out my-sae', 'e.g. of dictionary_learning'],
    [
      'saxbench convert sae.npz --checkpoint-form W_enc=enc,W_dec=dec.T,b_dec=none,architecture=topk,k=32 --out my-sae',
      '',
    ],
  ],
  async run(context) {
    const { values, positionals, print } = context;
    const { listedOptions } = await import('../suite/option-text.ts');
    const { localCheckpoint } = await import('../checkpoints/hub.ts');
    const { openCheckpoint } = await import('../checkpoints/open.ts');
    const { checkWritable } = await import('../store.ts');
    const given = listedOptions(values['checkpoint-form'] as string[] | undefined, '--checkpoint-form', 'k=32');
    const path = await localCheckpoint(positionals['checkpoint']!, given);
    const found = await openCheckpoint(path, given);
    const out = resolve((values['out'] as string | undefined) ?? join('saxbench-out', 'sae', basename(resolve(path))));
    await refuseFull(out, values['overwrite'] as boolean);
    await checkWritable(out);
    const written = await write(found, context, out);
    const { d_in, d_sae } = found.facts;
    print(`${found.layout.title}: ${found.facts.architecture}, d_in ${d_in}, d_sae ${d_sae}\nwrote ${out}: ${written}`);
    return 0;
  },
};
