/** @file The registry: plug-ins found by a sorted folder scan, loaded on demand; id = file name, duplicates refused. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError, unknownName } from './errors.ts';
import { codeExtension, codeRoot } from './paths.ts';
import { checkDefinition, type Definition, type DefinitionByKind, type PluginKind } from './plugin-check.ts';
import { checkedPlugin } from './returned/plugin.ts';

/** Where plug-ins of each kind lie, relative to the root of the code. */
export const PLUGIN_FOLDERS: Readonly<Record<PluginKind, string>> = {
  sae: 'models/sae',
  baseline: 'baselines',
  task: 'tasks',
  dataset: 'tasks/datasets',
  judge: 'tasks/judges',
  subject: 'models/subjects',
};

/** What a suite calls an SAE that was trained elsewhere: named like a method, read from a folder instead of a plug-in. */
export const CHECKPOINT = { kind: 'checkpoint', id: 'checkpoint', version: 2 } as const;

interface Entry {
  id: string;
  source: string;
  /** Added from outside, not found by the scan. */
  added?: boolean;
  load(): Promise<unknown>;
}

/** All plug-ins that this process knows. */
export interface Registry {
  /** Sorted ids of a kind. Loads nothing, except subject files, of which only families count. */
  ids(kind: PluginKind): Promise<string[]>;
  /** @throws UserError naming close and known ids when there is none of that id; or when the file is not a plug-in. */
  get<K extends PluginKind>(kind: K, id: string): Promise<DefinitionByKind[K]>;
  /** Every definition of a kind, sorted by id. */
  all<K extends PluginKind>(kind: K): Promise<DefinitionByKind[K][]>;
  /** An SAE variant, a baseline, or {@link CHECKPOINT}. */
  method(id: string): Promise<DefinitionByKind['sae'] | DefinitionByKind['baseline'] | typeof CHECKPOINT>;
  /** The file of a plug-in that was added from outside; undefined for those of the package. */
  fileOf(kind: PluginKind, id: string): string | undefined;
  /** Adds a plug-in from outside. @throws UserError when one of that name is there already. */
  add(definition: unknown, source: string): Definition;
}

export interface RegistryOptions {
  /** Root of the code to scan; this package's own by default. */
  root?: string;
  extension?: '.ts' | '.js';
}

/** Opens the registry over a root of code. Missing folders are empty. */
export function openRegistry(options: RegistryOptions = {}): Registry {
  const root = options.root ?? codeRoot;
  const extension = options.extension ?? codeExtension;
  const tables = new Map<PluginKind, Map<string, Entry>>();
  const loaded = new Map<string, Promise<Definition | undefined>>();

  function table(kind: PluginKind): Map<string, Entry> {
    let entries = tables.get(kind);
    if (!entries) {
      const files = scan(join(root, PLUGIN_FOLDERS[kind]), extension);
      entries = new Map(files.map((file) => [basename(file, extension), fileEntry(file, extension)]));
      tables.set(kind, entries);
    }
    return entries;
  }

  function load(kind: PluginKind, entry: Entry): Promise<Definition | undefined> {
    const key = `${kind}/${entry.id}`;
    let promise = loaded.get(key);
    if (!promise) {
      promise = entry.load().then((value) => {
        // models/subjects also holds what families share; only files that define a family are plug-ins.
        if (kind === 'subject' && (value as { kind?: unknown } | undefined)?.kind !== 'subject') return undefined;
        return checkDefinition(value, entry.source, entry.id, kind);
      });
      loaded.set(key, promise);
    }
    return promise;
  }

  async function ids(kind: PluginKind): Promise<string[]> {
    const all = [...table(kind).keys()].sort();
    if (kind !== 'subject') return all;
    const families = await Promise.all(all.map((id) => load(kind, table(kind).get(id)!)));
    return all.filter((_, i) => families[i] !== undefined);
  }

  async function find<K extends PluginKind>(kind: K, id: string): Promise<DefinitionByKind[K] | undefined> {
    const entry = table(kind).get(id);
    return entry && ((await load(kind, entry)) as DefinitionByKind[K] | undefined);
  }

  async function get<K extends PluginKind>(kind: K, id: string): Promise<DefinitionByKind[K]> {
    const found = await find(kind, id);
    if (!found) throw unknownName(kind === 'subject' ? 'family of subjects' : kind, id, await ids(kind));
    return found;
  }

  return {
    ids,
    get,
    all: async (kind) => Promise.all((await ids(kind)).map((id) => get(kind, id))),
    async method(id) {
      if (id === CHECKPOINT.id) return CHECKPOINT;
      const [sae, baseline] = [table('sae').has(id), table('baseline').has(id)];
      if (sae && baseline) {
        throw new UserError(`registry: '${id}' names both an SAE variant and a baseline; one of them must be renamed.`);
      }
      if (!sae && !baseline) {
        throw unknownName('method', id, [...table('sae').keys(), ...table('baseline').keys(), CHECKPOINT.id]);
      }
      return sae ? get('sae', id) : get('baseline', id);
    },
    fileOf(kind, id) {
      const entry = table(kind).get(id);
      return entry?.added ? entry.source : undefined;
    },
    add(value, source) {
      const id = String((value as { id?: unknown } | undefined)?.id);
      const definition = checkedPlugin(checkDefinition(value, source, id), source);
      const { kind } = definition;
      const rivals: PluginKind[] = kind === 'sae' || kind === 'baseline' ? ['sae', 'baseline'] : [kind];
      const taken = rivals.map((rival) => table(rival).get(id)).find((entry) => entry !== undefined);
      const reserved = id === CHECKPOINT.id && rivals.length > 1 ? 'saxbench' : undefined;
      const owner = taken?.source ?? reserved;
      if (owner !== undefined) {
        throw new UserError(`plug-in ${source}: the ${kind} '${id}' is there already (${owner}); choose another id.`);
      }
      table(kind).set(id, { id, source, added: true, load: () => Promise.resolve(definition) });
      return definition;
    },
  };
}

function scan(folder: string, extension: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(extension) && !/\.(test|d|generated)\.[tj]s$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function fileEntry(file: string, extension: string): Entry {
  return {
    id: basename(file, extension),
    source: file,
    load: async () => ((await import(pathToFileURL(file).href)) as { default?: unknown }).default,
  };
}
