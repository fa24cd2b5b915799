/** @file A suite's checkpoints: SAEs that were trained elsewhere and are scored as they are. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { CheckpointFacts } from '../checkpoints/form.ts';
import { localCheckpoint } from '../checkpoints/hub.ts';
import type { Layout } from '../checkpoints/layout.ts';
import { ownLayout } from '../checkpoints/layouts/own.ts';
import { saeLens } from '../checkpoints/layouts/saelens.ts';
import { type FoundCheckpoint, openCheckpoint } from '../checkpoints/open.ts';
import { UserError } from '../errors.ts';
import { filesFingerprint } from '../io/fingerprint.ts';
import { isOnHub } from '../io/hub-reference.ts';
import { CHECKPOINT, type Registry } from '../registry.ts';
import type { SuiteMethod, SuiteSubject } from '../schema/suite.generated.ts';
import { methodName, subjectName } from './load.ts';
import { checkVariant } from './own-checkpoint.ts';
import { isImported, type ResolvedMethod, type ResolvedSubject } from './resolved.ts';

/** `[NAME=]DIR[@[SUBJECT:]SITE]`; SUBJECT and SITE hold no slash, as folders do. */
const REFERENCE = /^(?:(?<name>[A-Za-z0-9._-]+)=)?(?<path>.+?)(?:@(?:(?<subject>[^@:/\\]+):)?(?<site>[^@:/\\]+))?$/;

/** A model's name without its organisation and revision, as different programs write it. */
function plainName(name: string): string {
  const plain = basename(name).split('@')[0]!.toLowerCase();
  return plain === 'gpt2-small' ? 'gpt2' : plain;
}

/**
 * Whether a subject goes by the name of a model: by its own, its folder's or its id on the hub. One with random weights does so
 * by its own name alone, and only for files that tell those weights by their fingerprint: others are of the trained model.
 */
function isModel(subject: SuiteSubject, model: string, fingerprint: string | undefined): boolean {
  const drawn = subject.randomInit !== undefined;
  if (drawn && fingerprint === undefined) return false;
  const names = drawn ? [subjectName(subject)] : [subjectName(subject), subject.path, subject.hub];
  return names.some((name) => name !== undefined && plainName(name) === plainName(model));
}

/**
 * `[NAME=]hub:OWNER/REPO/PATH[@REVISION][@[SUBJECT:]SITE]`. A hook, an embedding and what has a colon, which git's names have
 * not, are no revision.
 */
const ON_HUB =
  /^(?:(?<name>[A-Za-z0-9._-]+)=)?(?<path>hub:[^@]+(?:@(?![^@]*(?:hook_|:)|(?:(?:vision|text)\.)?embed$)[^@]+)?)(?:@(?:(?<subject>[^@:/\\]+):)?(?<site>[^@:/\\]+))?$/;

/**
 * The checkpoint that a command line names: a folder, a file or a place on the hub, where needed with its name in results, its
 * subject and site.
 *
 * @param form What it says of files that do not say it themselves.
 */
export function checkpointByName(text: string, form?: Record<string, unknown>): SuiteMethod {
  const whole = existsSync(text) ? undefined : (ON_HUB.exec(text) ?? REFERENCE.exec(text))?.groups;
  const { name, path = text, subject, site } = whole ?? {};
  return {
    id: CHECKPOINT.id,
    path: isOnHub(path) ? path : resolve(path),
    ...(form === undefined ? {} : { form }),
    ...(name === undefined ? {} : { name }),
    ...(site === undefined ? {} : { site }),
    ...(subject === undefined ? {} : { subjects: [subject] }),
  };
}

/** What the files of a checkpoint say; its plug-in is there where it needs one. */
async function describe(
  { path, form }: { path: string; form?: Record<string, unknown> | undefined },
  registry: Registry,
  label: string,
): Promise<FoundCheckpoint> {
  const found = await openCheckpoint(path, form);
  if (found.own) await checkVariant(found.own, registry, label);
  return found;
}

/** What results show of its sizes. */
const sizesOf = ({ architecture, d_in, d_sae, k }: CheckpointFacts) => ({
  architecture,
  d_in,
  d_sae,
  ...(k === undefined ? {} : { k }),
});

/** Another program's layout; results of this project's and SAELens's folders have none. */
const layoutOption = ({ id }: Layout) => (id === saeLens.id || id === ownLayout.id ? {} : { layout: id });

/**
 * A checkpoint as a method of the one site that it belongs to. Where its cfg.json names one of the suite's subjects as
 * its model, it is that subject's only.
 *
 * @throws UserError when files are missing or cfg.json is not one that can be used, neither it nor the suite names the
 * site, or it names another site or model than is scored and `anyOrigin` does not allow that.
 */
export async function resolveCheckpoint(
  given: SuiteMethod,
  subjects: readonly SuiteSubject[],
  registry: Registry,
  where: string,
): Promise<ResolvedMethod> {
  const name = methodName(given);
  const label = `${where}: method ${name}`;
  const { path } = given;
  if (path === undefined) throw new UserError(`${label}: expected 'path', the folder of the checkpoint; found none.`);
  for (const key of ['options', 'training'] as const) {
    if (Object.keys(given[key] ?? {}).length === 0) continue;
    throw new UserError(`${label}: has '${key}', which a checkpoint does not take: it is scored as it is.`);
  }
  const { form } = given;
  const place = await localCheckpoint(path, form);
  const { layout, folder, files, facts, own: plugin } = await describe({ path: place, form }, registry, label);
  const { hook_name, hook_name_out: target, model_name, model_fingerprint } = facts;
  if (facts.transcodes && target === undefined) {
    throw new UserError(
      `${label}: expected ${path} to name the site that it reconstructs (metadata.hook_name_out); found none: ` +
        'convert it, saxbench convert, and add it to cfg.json.',
    );
  }
  const site = given.site ?? hook_name;
  if (site === undefined) {
    throw new UserError(
      `${label}: expected ${path} to name its site (metadata.hook_name in a cfg.json); found none: name it, ` +
        `"site": "blocks.2.hook_resid_post" in a suite, --${CHECKPOINT.id} DIR@blocks.2.hook_resid_post on a command line.`,
    );
  }
  const scored = subjects.filter((subject) => given.subjects?.includes(subjectName(subject)) ?? true);
  const own =
    model_name === undefined ? scored : scored.filter((subject) => isModel(subject, model_name, model_fingerprint));
  if (!given.anyOrigin) {
    const mend = `--checkpoint-site ${site} ("anyOrigin": true in a suite) scores it all the same`;
    if (hook_name !== undefined && hook_name !== site) {
      throw new UserError(
        `${label}: site: expected '${hook_name}', which ${path} was trained on; found '${site}': ${mend}.`,
      );
    }
    if (own.length === 0 && scored.length > 0) {
      const found = scored.map(subjectName).join(', ');
      throw new UserError(
        `${label}: model: expected '${model_name}', which ${path} was trained on; found ${found}: ${mend}.`,
      );
    }
  }
  const fingerprint = await filesFingerprint(folder, files);
  const origin = {
    ...(hook_name === undefined ? {} : { hook_name }),
    ...(target === undefined ? {} : { target }),
    ...(model_name === undefined ? {} : { model_name }),
  };
  return {
    id: CHECKPOINT.id,
    kind: 'sae',
    name,
    title: `Checkpoint of a ${facts.architecture} SAE`,
    version: CHECKPOINT.version,
    options: { ...sizesOf(facts), ...layoutOption(layout), ...(form && { form }), ...origin, fingerprint },
    optionsPassed: { path, ...(given.site === undefined ? {} : { site: given.site }) },
    training: {},
    seeded: false,
    needs: 'activations',
    subjects: own.length > 0 ? own.map(subjectName) : given.subjects,
    site,
    ...(target === undefined ? {} : { target }),
    checkpoint: place,
    ...(model_fingerprint === undefined || given.anyOrigin ? {} : { trainedOn: model_fingerprint }),
    ...(form && { checkpointForm: form }),
    ...(plugin === undefined ? {} : { variant: plugin.variant }),
    control: false,
  };
}

/**
 * Refuses a checkpoint whose files are others than when the run was planned: they would be scored under the keys of those.
 *
 * @throws UserError also when they are gone.
 */
export async function refuseChanged(
  { checkpoint, checkpointForm: form, name, options }: ResolvedMethod,
  registry: Registry,
): Promise<void> {
  if (checkpoint === undefined) return;
  const { folder, files } = await describe({ path: checkpoint, form }, registry, `method ${name}`);
  const found = await filesFingerprint(folder, files);
  if (found === options['fingerprint']) return;
  throw new UserError(
    `method ${name}: expected the files of ${checkpoint} as they were when the run began (fingerprint ` +
      `${String(options['fingerprint']).slice(0, 8)}); found others (${found.slice(0, 8)}): run it again.`,
  );
}

/**
 * Refuses a checkpoint whose model goes by the same name as a subject and has other files.
 *
 * @throws UserError naming both.
 */
export function checkModels(methods: readonly ResolvedMethod[], subjects: readonly ResolvedSubject[], where: string) {
  for (const { name, trainedOn, checkpoint, site, subjects: own } of methods) {
    if (trainedOn === undefined) continue;
    const scored = subjects.filter((subject) => !isImported(subject) && (own?.includes(subject.id) ?? true));
    const other = scored.find(({ fingerprint }) => fingerprint !== trainedOn);
    if (other === undefined) continue;
    throw new UserError(
      `${where}: method ${name}: model: ${checkpoint} was trained on another '${other.id}': expected files with the ` +
        `fingerprint ${trainedOn.slice(0, 8)}, found ${other.fingerprint.slice(0, 8)}: --checkpoint-site ${site} ` +
        '("anyOrigin": true in a suite) scores it all the same.',
    );
  }
}
