/** @file A suite's checkpoints: SAEs that were trained elsewhere and are scored as they are. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { filesFingerprint } from '../io/fingerprint.ts';
import { CHECKPOINT, type Registry } from '../registry.ts';
import type { SuiteMethod, SuiteSubject } from '../schema/suite.generated.ts';
import { OWN_CONFIG, OWN_WEIGHTS, readOwnSae } from '../train/own-layout.ts';
import { readSaeLensConfig, SAELENS_CONFIG, SAELENS_SCALER, SAELENS_WEIGHTS } from '../train/saelens-config.ts';
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

/** Whether a subject goes by the name of a model: by its own, its folder's or its id on the hub. */
function isModel(subject: SuiteSubject, model: string): boolean {
  const names = [subjectName(subject), subject.path, subject.hub];
  return names.some((name) => name !== undefined && plainName(name) === plainName(model));
}

/** The checkpoint that a command line names: a folder, where needed with its name in results, its subject and site. */
export function checkpointByName(text: string): SuiteMethod {
  const whole = existsSync(text) ? undefined : REFERENCE.exec(text)?.groups;
  const { name, path = text, subject, site } = whole ?? {};
  return {
    id: CHECKPOINT.id,
    path: resolve(path),
    ...(name === undefined ? {} : { name }),
    ...(site === undefined ? {} : { site }),
    ...(subject === undefined ? {} : { subjects: [subject] }),
  };
}

/** A checkpoint as its files describe it. */
interface Described {
  /** Those that decide its numbers. */
  files: string[];
  /** What results show of it. */
  sizes: { architecture: string; d_in: number; d_sae: number; k?: number };
  hook_name?: string;
  /** The site that it reconstructs, where that is another. */
  hook_name_out?: string;
  model_name?: string;
  model_fingerprint?: string;
  variant?: string;
}

/** Reads either layout: SAELens' where there is a cfg.json. */
async function describe(path: string, registry: Registry, label: string): Promise<Described> {
  if (!existsSync(join(path, SAELENS_CONFIG)) && existsSync(join(path, OWN_CONFIG))) {
    const own = await readOwnSae(path);
    await checkVariant(own, registry, label);
    const { variant, shape, hook_name, hook_name_out, model_name, model_fingerprint } = own;
    const sizes = { architecture: variant, d_in: shape.d_in, d_sae: shape.d_sae };
    const origin = {
      hook_name,
      ...(hook_name_out === undefined ? {} : { hook_name_out }),
      model_name,
      model_fingerprint,
    };
    return { files: [OWN_CONFIG, OWN_WEIGHTS], sizes, ...origin, variant };
  }
  const { architecture, d_in, d_sae, k, ...origin } = await readSaeLensConfig(path);
  const { hook_name, hook_name_out, model_name, model_fingerprint } = origin;
  if (architecture.endsWith('transcoder') && hook_name_out === undefined) {
    throw new UserError(
      `${label}: expected metadata.hook_name_out in ${path}/${SAELENS_CONFIG}, the site that it reconstructs; found none.`,
    );
  }
  const files = [SAELENS_CONFIG, SAELENS_WEIGHTS, SAELENS_SCALER].filter((file) => existsSync(join(path, file)));
  if (!files.includes(SAELENS_WEIGHTS)) {
    throw new UserError(`${label}: expected ${SAELENS_WEIGHTS} beside ${SAELENS_CONFIG} in ${path}; found none.`);
  }
  const sizes = { architecture, d_in, d_sae, ...(k === undefined ? {} : { k }) };
  const other = hook_name_out === undefined ? {} : { hook_name_out };
  return { files, sizes, hook_name, ...other, model_name, model_fingerprint };
}

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
  const described = await describe(path, registry, label);
  const { files, sizes, hook_name, hook_name_out: target, model_name, model_fingerprint, variant } = described;
  const site = given.site ?? hook_name;
  if (site === undefined) {
    throw new UserError(
      `${label}: expected metadata.hook_name in ${path}/${SAELENS_CONFIG}; found none: name its site, ` +
        `"site": "blocks.2.hook_resid_post" in a suite, --${CHECKPOINT.id} DIR@blocks.2.hook_resid_post on a command line.`,
    );
  }
  const scored = subjects.filter((subject) => given.subjects?.includes(subjectName(subject)) ?? true);
  const own = model_name === undefined ? scored : scored.filter((subject) => isModel(subject, model_name));
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
  const fingerprint = await filesFingerprint(path, files);
  const origin = {
    ...(hook_name === undefined ? {} : { hook_name }),
    ...(target === undefined ? {} : { target }),
    ...(model_name === undefined ? {} : { model_name }),
  };
  return {
    id: CHECKPOINT.id,
    kind: 'sae',
    name,
    title: `Checkpoint of a ${sizes.architecture} SAE`,
    version: CHECKPOINT.version,
    options: { ...sizes, ...origin, fingerprint },
    optionsPassed: { path, ...(given.site === undefined ? {} : { site: given.site }) },
    training: {},
    seeded: false,
    needs: 'activations',
    subjects: own.length > 0 ? own.map(subjectName) : given.subjects,
    site,
    ...(target === undefined ? {} : { target }),
    checkpoint: path,
    ...(model_fingerprint === undefined || given.anyOrigin ? {} : { trainedOn: model_fingerprint }),
    ...(variant === undefined ? {} : { variant }),
    control: false,
  };
}

/**
 * Refuses a checkpoint whose files are others than when the run was planned: they would be scored under the keys of those.
 *
 * @throws UserError also when they are gone.
 */
export async function refuseChanged({ checkpoint, name, options }: ResolvedMethod, registry: Registry): Promise<void> {
  if (checkpoint === undefined) return;
  const { files } = await describe(checkpoint, registry, `method ${name}`);
  const found = await filesFingerprint(checkpoint, files);
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
