/** @file What a domain's `suite.json` says of its data, beside what it says of the run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shown, UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import type { DomainSettings } from './domain.ts';

export const SUITE_FILE = 'suite.json';

const PRIVACY = ['private', 'open'] as const;

/** Keys of `suite.json` that are about the data. */
export const DATA_KEYS = ['texts', 'covariates', 'ignore'] as const;

function names(where: string, key: string, value: unknown): string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [undefined];
  if (!list.every((name) => typeof name === 'string' && name !== '') || new Set(list).size < list.length) {
    throw new UserError(
      `${where}: ${key}: expected different names of columns, as ["age", "sex"]; found ${shown(value)}.`,
    );
  }
  return list as string[];
}

/** The whole of a folder's `suite.json`; an empty object where there is none. @throws UserError for what is no object. */
export async function readSuiteFile(folder: string): Promise<Record<string, unknown>> {
  const path = join(folder, SUITE_FILE);
  if (!existsSync(path)) return {};
  const json = await readJson(path, 'suite');
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError(`suite ${path}: expected an object, found ${shown(json)}.`);
  }
  return json as Record<string, unknown>;
}

/** @throws UserError for other values than those that the keys may have. */
export function settingsOf(json: Record<string, unknown>, where: string): DomainSettings {
  const texts = json['texts'] ?? 'private';
  if (!PRIVACY.some((known) => known === texts)) {
    throw new UserError(`${where}: texts: expected "private" or "open", found ${shown(texts)}.`);
  }
  return {
    texts: texts as DomainSettings['texts'],
    covariates: names(where, 'covariates', json['covariates']),
    ignore: names(where, 'ignore', json['ignore']),
  };
}
