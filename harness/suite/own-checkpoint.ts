/** @file Checkpoints in this project's own layout: they need the very plug-in that they were trained with. */
import { pluginSource } from '../code/plugin-source.ts';
import { UserError } from '../errors.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { OwnSae } from '../train/own-layout.ts';

/**
 * Refuses a checkpoint whose numbers the registry's plug-in need not give.
 *
 * @param label Starts messages.
 * @throws UserError when the plug-in is absent, of another version or changed, or does not know the hyper-parameters.
 */
export async function checkVariant(
  { variant, version, source, hp }: OwnSae,
  registry: Registry,
  label: string,
): Promise<void> {
  if (!(await registry.ids('sae')).includes(variant)) {
    throw new UserError(
      `${label}: expected the SAE plug-in '${variant}' that it was trained with: give it, --plugin ${variant}.ts.`,
    );
  }
  const definition = await registry.get('sae', variant);
  if (definition.version !== version) {
    throw new UserError(
      `${label}: expected version ${version} of the plug-in '${variant}', as it was trained with; found ${definition.version}: ` +
        'train it again, or give the older plug-in.',
    );
  }
  const found = await pluginSource(registry, 'sae', variant);
  if (found !== source) {
    throw new UserError(
      `${label}: expected the plug-in '${variant}' as it was when the SAE was trained (source ${source?.slice(0, 12) ?? 'of the package'}); ` +
        `found it changed (${found?.slice(0, 12) ?? 'of the package'}): train it again, or give the plug-in as it was.`,
    );
  }
  await resolveOptions(definition.hyperparameters, hp, `${label}: hyper-parameters`);
}
