/** @file Turns ajv's errors into one plain line: where, what was expected, what was found, how to mend it. */
import type { ErrorObject } from 'ajv';
import { shown, suggest } from '../errors.ts';

/** `/methods/2/options` → `methods[2].options`. */
function pathOf(pointer: string): string {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return parts.map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    value = (value as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}

const quoted = (names: readonly unknown[]) =>
  names.map((name) => (typeof name === 'string' ? name : shown(name))).join(', ');

/** The keys that an object may have where an unknown one was found. */
function knownKeys(error: ErrorObject): string[] {
  return Object.keys((error.parentSchema?.['properties'] as Record<string, unknown> | undefined) ?? {});
}

/** Errors that say more come first: a typo explains the missing key that it causes. */
const RANK: Readonly<Record<string, number>> = {
  additionalProperties: 0,
  enum: 1,
  type: 2,
  required: 3,
  anyOf: 9,
  oneOf: 9,
};

/**
 * The most telling of ajv's errors as one sentence.
 *
 * @param root The value that was validated.
 * @param top What the value itself is called.
 */
export function explain(errors: readonly ErrorObject[], root: unknown, top = 'the top level'): string {
  const sorted = [...errors].sort((a, b) => (RANK[a.keyword] ?? 4) - (RANK[b.keyword] ?? 4));
  const error = sorted[0]!;
  const where = pathOf(error.instancePath) || top;
  const found = valueAt(root, error.instancePath);
  const more = errors.length > 1 && sorted.some((other) => other.instancePath !== error.instancePath);
  const text = `${line(error, where, found)}${more ? ' (and more after it)' : ''}`;
  return text.endsWith('?') ? text : `${text}.`;
}

function line(error: ErrorObject, where: string, found: unknown): string {
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = knownKeys(error);
      const close = suggest(key, known);
      const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
      return `${where} has an unknown key '${key}'.${hint} Known: ${known.sort().join(', ')}`;
    }
    case 'required':
      return `${where} lacks the key '${String(params['missingProperty'])}'`;
    case 'type':
      return `${where}: expected ${quoted([params['type']].flat())}; found ${shown(found)}`;
    case 'enum': {
      const allowed = params['allowedValues'] as unknown[];
      const names = allowed.filter((name): name is string => typeof name === 'string');
      const close = typeof found === 'string' ? suggest(found, names) : [];
      const hint = close.length > 0 ? `. Did you mean: ${close.join(', ')}?` : '';
      return `${where}: expected one of ${quoted(allowed)}; found ${shown(found)}${hint}`;
    }
    case 'const':
      return `${where}: expected ${shown(params['allowedValue'])}; found ${shown(found)}`;
    default:
      return `${where}: expected a value that ${error.message ?? error.keyword}; found ${shown(found)}`;
  }
}
