/** @file `saxbench train`: one SAE on one site of one subject, written in SAELens' layout. */
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import type { Mark, RandomInit } from '../contract.ts';
import { UserError } from '../errors.ts';
import { EMBEDDED_LM, EMBEDDED_SITE } from '../paths.ts';
import type { SitePlan } from '../plan.ts';
import type { Registry } from '../registry.ts';
import type { Suite, SuiteSubject, SuiteTraining } from '../schema/suite.generated.ts';
import { isImported } from '../suite/resolved.ts';
import type { SubjectReference } from '../suite/subjects.ts';
import type { OwnSae } from '../train/own-layout.ts';
import type { Command } from './command.ts';
import { importedFrom } from './imported.ts';
import { registryFor } from './plugins.ts';
import { beginning, prepared } from './prepared.ts';

function required(values: Values, name: string, example: string): string {
  const value = values[name];
  if (value === undefined) throw new UserError(`train: expected --${name}, as in --${name} ${example}; found none.`);
  return value as string;
}

/** A suite of one SAE and no task. */
async function suiteOf(values: Values, registry: Registry): Promise<Suite> {
  const { TRAINING_OPTIONS } = await import('../train/options.ts');
  const { subjectByName } = await import('../suite/subjects.ts');
  const { namedOptions } = await import('../suite/option-text.ts');
  const given = namedOptions(values['option'] as string[] | undefined, '--option', 'k=32');
  const isTraining = (name: string) => TRAINING_OPTIONS.includes(name);
  const entries = Object.entries(given);
  const training = Object.fromEntries(entries.filter(([name]) => isTraining(name))) as SuiteTraining;
  const options = Object.fromEntries(entries.filter(([name]) => !isTraining(name)));
  const variant = required(values, 'sae', 'topk');
  const subject = await subjectOf(values, registry, subjectByName);
  return {
    id: 'train',
    title: `Training of ${variant}`,
    subjects: [subject],
    methods: [{ id: variant, options, training }],
    tasks: [],
    seeds: [(values['seed'] as number | undefined) ?? 0],
  };
}

/** Items that are not trained on, to say how the SAE does on others. */
const HELD_OUT = 50;

/** The name of a dataset that has activations of its own: it needs no subject. */
async function ownVectors(values: Values, registry: Registry): Promise<SubjectReference | undefined> {
  const id = values['dataset'] as string | undefined;
  if (id === undefined || values['subject'] !== undefined) return undefined;
  const { modality } = await registry.get('dataset', id);
  return modality === 'vectors' ? { id } : undefined;
}

async function subjectOf(
  values: Values,
  registry: Registry,
  subjectByName: (name: string) => Promise<SubjectReference>,
): Promise<SuiteSubject> {
  const sites = values['site'] as string[] | undefined;
  if (sites && sites.length > 1) throw new UserError(`train: expected one --site; found ${sites.length}.`);
  const train = values['items'] as number | undefined;
  const imported = await importedFrom(values);
  const { namedOptions } = await import('../suite/option-text.ts');
  const { absoluteOptions } = await import('../suite/override.ts');
  const options = namedOptions(values['dataset-option'] as string[] | undefined, '--dataset-option', 'train=48');
  if (imported) {
    const idle = [
      values['dataset'] !== undefined && '--dataset',
      Object.keys(options).length > 0 && '--dataset-option',
      values['random-init'] !== undefined && '--random-init',
    ];
    const flag = idle.find((name) => name !== false);
    if (flag) throw new UserError(`train: ${flag}: has no meaning for imported activations; leave it out.`);
    const { folder: from, sites: own, modality, seed } = imported;
    // No number of test items: what a run of the same seed tests on must not be trained on here.
    return { sites: sites ?? own, activations: { from, modality, seed, train } };
  }
  const named = (await ownVectors(values, registry)) ?? (await subjectByName(required(values, 'subject', EMBEDDED_LM)));
  const site = sites?.[0] ?? required(values, 'site', EMBEDDED_SITE);
  const randomInit = values['random-init'] as RandomInit | undefined;
  const { drawnAnew } = await import('../suite/load.ts');
  return {
    ...(randomInit ? drawnAnew(named, randomInit) : named),
    sites: [site],
    dataset: { id: required(values, 'dataset', 'text-world'), options: absoluteOptions(options, process.cwd()) },
    activations: { train, test: HELD_OUT },
  };
}

/** Writes into cfg.json which model it is: the step in the store does not say it, since the name changes no number. */
async function nameModel(file: string, subject: SitePlan['subject']): Promise<void> {
  const { id, fingerprint } = subject;
  const { atomicWriteJson } = await import('../io/atomic.ts');
  const { readJson } = await import('../io/json.ts');
  const { metadata, ...cfg } = (await readJson(file, 'saelens')) as { metadata?: object };
  const model = { model_name: id, ...(isImported(subject) ? {} : { saxbench_model: fingerprint }) };
  await atomicWriteJson(file, { ...cfg, metadata: { ...metadata, ...model } });
}

/** What the step of a variant without a SAELens form left, in the layout that --checkpoint reads. */
async function writeOwn(
  out: string,
  folder: string,
  { site, subject, fits }: SitePlan,
  registry: Registry,
): Promise<void> {
  const { readState } = await import('../execute/fit.ts');
  const { writeOwnSae } = await import('../train/own-layout.ts');
  const { pluginSource } = await import('../code/plugin-source.ts');
  const { id, version, target } = fits[0]!.method;
  const state = await readState(folder);
  const { shape, hp } = state.json as Pick<OwnSae, 'shape' | 'hp'>;
  const source = await pluginSource(registry, 'sae', id);
  const model = isImported(subject) ? {} : { model_fingerprint: subject.fingerprint };
  const other = target === undefined ? {} : { hook_name_out: target };
  const origin = { hook_name: site, ...other, model_name: subject.id, ...model };
  const own = { variant: id, version, ...(source === undefined ? {} : { source }), shape, hp, ...origin };
  await writeOwnSae(out, own, state);
}

/** Counts as they are, measurements to four digits. */
const rounded = (value: number) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4))));

export const command: Command = {
  name: 'train',
  usage: 'train',
  summary: 'Train one SAE and write it in SAELens’ layout (cfg.json, sae_weights.safetensors)',
  positionals: {},
  examples: [
    [`saxbench train --sae topk --subject ${EMBEDDED_LM} --site ${EMBEDDED_SITE} --dataset text-world`, ''],
    [
      'saxbench train --sae relu --activations DIR --option d_sae=4096 --option lr=3e-4',
      'on activations made elsewhere',
    ],
  ],
  async run(context) {
    const { values, signal, say, print } = context;
    const registry = await registryFor(values);
    const { limitSuite } = await import('../suite/limit.ts');
    const { setPositions } = await import('../suite/set-positions.ts');
    const full = setPositions(await suiteOf(values, registry), values['positions'] as string[] | undefined);
    const suite = values['limit'] === undefined ? full : limitSuite(full, values['limit'] as number);
    const { validate } = await import('../schema/validate.ts');
    // A suite needs a task, and training has none: any will do for the check of all the rest.
    await validate('suite', { ...suite, tasks: [{ id: 'none' }] }, 'train');
    const made = await prepared(suite, registry, context);
    const { plan, places, provenance } = made;
    const [sitePlan] = plan.sites;
    const [fit] = sitePlan!.fits;
    if (!fit)
      throw new UserError(`train: ${plan.skipped.map(({ method, reason }) => `${method} ${reason}`).join('; ')}.`);
    const name = [sitePlan!.subject.id, sitePlan!.site, fit!.method.name, `seed-${fit!.seed}`].join('-');
    const out = resolve((values['out'] as string | undefined) ?? join('saxbench-out', 'sae', name));
    const { clearSaeFolder, refuseOtherSae, TRAINING_RECORD } = await import('../train/sae-folder.ts');
    await refuseOtherSae(out, fit!.key, values['overwrite'] as boolean);
    say(beginning(suite.title, made));
    const { executePlan } = await import('../execute.ts');
    const { checkWritable, openStore } = await import('../store.ts');
    // Not after hours of training.
    await checkWritable(out);
    const store = openStore(values['store'] as string, say);
    const run = { registry, store, places, provenance, signal, say };
    const { failures } = await executePlan(plan, run, {
      showProgress: values['progress'] as boolean,
      force: values['force'] as boolean,
    });
    for (const { error } of failures) throw error;
    const step = await store.fetch(fit!.key);
    if (!step) throw new UserError(`train: another process removed the trained SAE from the store: run it again.`);
    const { atomicWriteJson, writeError } = await import('../io/atomic.ts');
    const { SAELENS_CONFIG } = await import('../checkpoints/layouts/saelens-config.ts');
    const saelens = join(step.folder, 'saelens');
    const marks = (step.meta['marks'] ?? []) as Mark[];
    await clearSaeFolder(out);
    // First: by it the next training knows the folder of one that was killed here.
    const record = { key: fit!.key, ...(step.meta['training'] as object), marks };
    await atomicWriteJson(join(out, TRAINING_RECORD), record);
    if (existsSync(saelens)) {
      await cp(saelens, out, { recursive: true }).catch((error: unknown) => {
        throw writeError(out, error);
      });
      await nameModel(join(out, SAELENS_CONFIG), sitePlan!.subject);
    } else {
      const id = fit!.method.id;
      const reader =
        registry.fileOf('sae', id) === undefined ? 'saxbench alone reads' : 'needs the plug-in to be scored';
      say(`'${id}' has no toSaeLens: wrote saxbench's own layout, which ${reader}.`);
      await writeOwn(out, step.folder, sitePlan!, registry);
    }
    for (const { message } of marks) say(`warning: ${message}`);
    const { curve, ...facts } = step.meta['training'] as { curve: Record<string, number[]> };
    const last = Object.fromEntries(Object.entries(curve).map(([name, series]) => [name, series.at(-1)]));
    if (values['json']) print(JSON.stringify({ out, ...facts, marks, last }, null, 2));
    else
      print(
        `${Object.entries(last)
          .map(([name, value]) => `${name} ${rounded(value!)}`)
          .join('  ')}\nwrote ${out}`,
      );
    return 0;
  },
};
