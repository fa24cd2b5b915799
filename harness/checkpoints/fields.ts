/** @file Fields of a checkpoint's JSON: each read with what it may be, and none passed over that may change the numbers. */
import { shown, UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';

export type Json = Record<string, unknown>;

export const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
export const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
export const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object of a file, by its place in it for messages. */
export class Fields {
  readonly where: string;
  readonly json: Json;

  /** @throws UserError unless it is an object. */
  constructor(where: string, json: unknown) {
    if (!isObject(json)) throw new UserError(`${where}: expected a JSON object, found ${shown(json)}.`);
    this.where = where;
    this.json = json;
  }

  /** Reads a file that holds an object. */
  static async read(layout: string, path: string): Promise<Fields> {
    return new Fields(`${layout} ${path}`, await readJson(path, layout));
  }

  fail(name: string, expected: string): never {
    throw new UserError(`${this.where}: ${name}: expected ${expected}; found ${shown(this.json[name])}.`);
  }

  /** @throws UserError unless the field fits. */
  get<T>(name: string, expected: string, fits: (value: unknown) => value is T): T {
    const value = this.json[name];
    return fits(value) ? value : this.fail(name, expected);
  }

  /** Absent and null are `missing`. */
  optional<T, M>(name: string, expected: string, fits: (value: unknown) => value is T, missing: M): T | M {
    return this.json[name] === undefined || this.json[name] === null ? missing : this.get(name, expected, fits);
  }

  size(name: string): number {
    return this.get(name, 'a whole number of at least 1', isSize);
  }

  flag(name: string, missing: boolean): boolean {
    return this.optional(name, 'true or false', isFlag, missing);
  }

  text(name: string): string | undefined {
    return this.optional(name, 'a text', (value): value is string => typeof value === 'string', undefined) || undefined;
  }

  /** The object of a field. */
  inner(name: string): Fields {
    return new Fields(`${this.where}: ${name}`, this.json[name] ?? {});
  }

  /**
   * Refuses keys that nobody knows, unless their value says "off": they may change what the SAE computes.
   *
   * @param known Names between blanks: those that are read, and those that are known to change nothing.
   */
  refuseOthers(known: string): void {
    const names = new Set(known.split(/\s+/));
    const other = Object.entries(this.json).find(([name, value]) => !names.has(name) && !isOff(value));
    if (other === undefined) return;
    this.fail(
      other[0],
      'no such key: it is not known here and may change what the SAE computes; take it out if it does not',
    );
  }
}

/** Nothing, false, zero, `none`: what a key holds that is not in use. */
export function isOff(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return true;
  if (typeof value === 'string') return /^none$/i.test(value);
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Entries of which only those with a value stay: optional fields are absent rather than undefined. */
export function known<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
