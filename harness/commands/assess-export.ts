/** @file `saxbench assess export`: the questions of a run's latents as a page, as lines, and the sealed key. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { ProtocolId } from '../assess/protocols.ts';
import { ITEMS, KEY } from '../assess/seal.ts';
import { UserError } from '../errors.ts';
import { atomicWriteFile } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { readJson } from '../io/json.ts';
import type { Result } from '../schema/result.generated.ts';
import type { CommandContext } from './command.ts';
import { registryFor } from './plugins.ts';
import { beginning, prepared } from './prepared.ts';

const PAGE = 'assess.html';

interface Place {
  subject: string;
  site: string;
}

/** The one subject and site of the run that the filters leave. */
function onePlace(results: readonly Result[], only: readonly string[]): Place {
  const named = (axis: string) =>
    only.flatMap((filter) => (filter.startsWith(`${axis}=`) ? filter.slice(axis.length + 1).split(',') : []));
  const [subjects, sites] = [named('subjects'), named('sites')];
  const kept = results.filter(
    ({ subject, site }) =>
      (subjects.length === 0 || subjects.includes(subject.id)) && (sites.length === 0 || sites.includes(site.name)),
  );
  const places = new Map(
    kept.map(({ subject, site }) => [
      JSON.stringify([subject.id, site.name]),
      { subject: subject.id, site: site.name },
    ]),
  );
  const [place] = places.values();
  if (place && places.size === 1) return place;
  const all = new Map(
    results.map(({ subject, site }) => [`--only subjects=${subject.id} --only sites=${site.name}`, true]),
  );
  throw new UserError(
    `assess export: expected one subject and site; found ${places.size}: take one of ${[...all.keys()].join('; ')}.`,
  );
}

/** @throws UserError where the folder holds a set that ratings may come in for. */
async function checkFolder(out: string, set: string, overwrite: boolean): Promise<void> {
  if (overwrite || !existsSync(join(out, KEY))) return;
  const found = ((await readJson(join(out, KEY), 'key')) as { set?: unknown } | null)?.set;
  if (found === set) return;
  throw new UserError(
    `assess export: expected an empty folder, or one of this set, ${set}; ${out} holds the set ${String(found)}, whose ratings need its key: name another --out, or give --overwrite.`,
  );
}

export async function exportAssessment(context: CommandContext): Promise<number> {
  const { values, positionals, say, print, signal } = context;
  const folder = resolve(positionals['folder']!);
  const { loadResults } = await import('../../reports/index.ts');
  const { results, refused } = await loadResults(folder, { includeLimited: true });
  for (const reason of refused) say(`left out: ${reason}`);
  const only = (values['only'] ?? []) as string[];
  const { subject, site } = onePlace(results, only);
  const here = results.filter((result) => result.subject.id === subject && result.site.name === site);
  const { readRunRecord } = await import('./run-record.ts');
  const record = await readRunRecord(folder);
  const made = { ...context, values: { ...record.values, only: undefined } };
  const registry = await registryFor(record.values);
  const { suiteFor } = await import('./asked-suite.ts');
  const { selectFromSuite } = await import('../suite/select.ts');
  const { besideMethods } = await import('../suite/join-plugins.ts');
  const { CONTROLS } = await import('../assess/metrics.ts');
  const whole = await suiteFor(record.suite, registry, made);
  const place = [`subjects=${subject}`, `sites=${site}`];
  const controls = await besideMethods(selectFromSuite(whole, place), CONTROLS, registry);
  const kept = only.filter((filter) => !/^(subjects?|sites?)=/.test(filter));
  // Controls stand beside whatever is chosen.
  const chosen = kept.length === 0 ? controls : selectFromSuite(controls, kept);
  const missing = controls.methods.filter(
    (method) => (CONTROLS as readonly string[]).includes(method.id) && !chosen.methods.includes(method),
  );
  const suite = { ...chosen, methods: [...chosen.methods, ...missing] };
  const { endpointUrl } = await import('./judging.ts');
  const ready = await prepared(suite, registry, made, await endpointUrl(record.values));
  const { plan, places, provenance } = ready;
  const { chooseFits, exportSet } = await import('../assess/export-set.ts');
  const fits = chooseFits(plan, here, CONTROLS);
  say(beginning(`assess ${values['protocol']} of ${subject} ${site}`, ready));
  for (const name of fits.stale)
    say(`left out: ${name}: its results come from other code, settings or another build: run again.`);
  for (const name of fits.added) say(`${name} stands beside the methods of the run, which has not had it.`);
  const protocol = values['protocol'] as ProtocolId;
  const out = resolve(
    (values['out'] as string | undefined) ?? join(folder, 'assess', `${protocol}-${subject}-${site}`),
  );
  const { openStore } = await import('../store.ts');
  const { createProgress } = await import('../progress.ts');
  const store = openStore(record.values['store'] as string, say);
  const progress = await createProgress(fits.added.length, { enabled: values['progress'] as boolean });
  const run = { registry, store, places, provenance, signal, progress, say };
  const sealed = await exportSet(plan, run, fits, {
    ...{ protocol, seed: (values['draw'] as number | undefined) ?? 0, latents: values['latents'] as number },
    ...{ window: values['window'] as number, stratify: values['stratify'] as 'density' | 'ms' },
    ...{ refit: values['refit'] as boolean, includeTexts: values['include-texts'] as boolean },
    folder: relative(out, folder),
  }).finally(() => progress.stop());
  await checkFolder(out, sealed.header.set, values['overwrite'] as boolean);
  const { renderAssessment } = await import('../../reports/assessment.ts');
  const page = await renderAssessment(sealed.header, sealed.items);
  await ensureFolder(out);
  // The key first: a page without it could never be scored.
  await atomicWriteFile(join(out, KEY), sealed.keyText);
  await atomicWriteFile(join(out, ITEMS), sealed.itemsText);
  await atomicWriteFile(join(out, PAGE), page);
  for (const { name, reason } of sealed.left) say(`left out: ${name}: ${reason}.`);
  const files = [PAGE, ITEMS, KEY].map((name) => join(out, name));
  if (values['json']) {
    const { set, items } = sealed.header;
    print(JSON.stringify({ out, set, protocol, items, rule: sealed.rule, left: sealed.left, files }, null, 2));
    return 0;
  }
  print(`${sealed.header.items} questions, set ${sealed.header.set}`);
  for (const line of sealed.rule) print(line);
  for (const file of files) print(`wrote ${file}`);
  print(
    `Give raters ${PAGE} alone; ${KEY} holds the answers. Their files: saxbench assess import ${out} --ratings FILE`,
  );
  return 0;
}
