/** @file The registry of a command: built-in plug-ins and those of `--plugin`. */
import type { Values } from '../config/read.ts';
import type { Registry } from '../registry.ts';

/** @throws UserError when a plug-in of the person's does not load or its name is taken. */
export async function registryFor(values: Values): Promise<Registry> {
  const { openRegistry } = await import('../registry.ts');
  const registry = openRegistry();
  const files = (values['plugin'] ?? []) as string[];
  if (files.length === 0) return registry;
  const { loadPlugin } = await import('../plugins.ts');
  for (const file of files) await loadPlugin(file, registry);
  return registry;
}
