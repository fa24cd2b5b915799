/** @file Merges settings: flag, then environment variable, then config file, then default. Checks every value. */
import { existsSync } from 'node:fs';
import { shown, UserError, unknownName } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { type CommandName, environmentName, SETTINGS, type Setting, settingsOf } from './settings.ts';

/** Values by setting name. */
export type Values = Record<string, string | number | boolean | string[] | undefined>;

/** The config file that is read when it exists and none is named. */
export const CONFIG_FILE = 'saxbench.config.json';

/**
 * The settings of a command.
 *
 * @param flags What the command line gave, by setting name; undefined where it gave nothing.
 * @throws UserError naming flag, variable or key, expected and found.
 */
export async function readSettings(
  command: CommandName,
  flags: Record<string, unknown>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Values> {
  const named = flags['config'] ?? environment['SAXBENCH_CONFIG'];
  const file = await readConfigFile(named === undefined ? undefined : String(named));
  const values: Values = {};
  for (const setting of settingsOf(command)) {
    const { name } = setting;
    const variable = environmentName(setting);
    if (flags[name] !== undefined) values[name] = parse(setting, flags[name], `--${name}`);
    else if (environment[variable]) values[name] = parse(setting, environment[variable], variable);
    else if (file.values[name] !== undefined)
      values[name] = parse(setting, fromFile(setting, file), `${file.path}: ${name}`);
    else values[name] = setting.default;
  }
  return values;
}

interface ConfigFile {
  path: string;
  values: Record<string, unknown>;
}

function fromFile({ name, personal, ...rest }: Setting, { path, values }: ConfigFile): unknown {
  if (!personal) return values[name];
  throw new UserError(
    `config ${path}: ${name}: expected on the command line or in ${environmentName({ name, ...rest })} alone; found it in a file.`,
  );
}

async function readConfigFile(named: string | undefined): Promise<ConfigFile> {
  const path = named ?? CONFIG_FILE;
  if (named === undefined && !existsSync(path)) return { path, values: {} };
  const values = await readJson(path, 'config');
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UserError(`config ${path}: expected an object of settings by name.`);
  }
  const known = SETTINGS.map(({ name }) => name).filter((name) => name !== 'config');
  for (const name of Object.keys(values)) {
    if (!known.includes(name)) throw unknownName(`setting in ${path}`, name, known);
  }
  return { path, values: values as Record<string, unknown> };
}

/** What a flag or variable can hold; a config file may hold anything. */
const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

function parse(setting: Setting, given: unknown, where: string): Values[string] {
  const fail = (expected: string): never => {
    throw new UserError(`${where}: expected ${expected}; found ${shown(given)}.`);
  };
  if (setting.type === 'list') {
    const list: unknown[] = Array.isArray(given) ? given : [given];
    return list.every(isScalar) && !list.includes('') ? list.map(String) : fail('a value');
  }
  // A flag that is given twice arrives as an array: the last one counts, as in most programs.
  const value: unknown = Array.isArray(given) ? given.at(-1) : given;
  if (!isScalar(value)) return fail('a value');
  switch (setting.type) {
    case 'boolean':
      if (['true', '1'].includes(String(value))) return true;
      return ['false', '0'].includes(String(value)) ? false : fail('true or false');
    case 'number': {
      const number = typeof value === 'number' || /\S/.test(String(value)) ? Number(value) : Number.NaN;
      const low = setting.min ?? 0;
      if (Number.isSafeInteger(number) && number >= low) return number;
      return fail(`a whole number of at least ${low}`);
    }
    default: {
      if (typeof value !== 'string' || value === '') return fail('a value');
      if (setting.choices && !setting.choices.includes(value))
        throw unknownName(`value of ${where}`, value, setting.choices);
      return value;
    }
  }
}
