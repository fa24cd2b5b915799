/** @file What plug-ins from outside return and throw: checked where it comes in, so that behind it types can be trusted. */
import { ContractError, shown } from '../errors.ts';

/** Which file is to blame. */
export interface Author {
  file: string;
}

type Fn<A extends unknown[], R> = (...args: A) => R;

/** @throws ContractError: what an export of a plug-in gave is not what its contract says. */
export function refuse({ file }: Author, name: string, expected: string, found: string): never {
  throw new ContractError(`${name}: expected ${expected}; found ${found}`, file);
}

/** @throws ContractError with the value's kind unless `ok`. */
export function demand(author: Author, name: string, ok: boolean, expected: string, value: unknown): void {
  if (!ok) refuse(author, name, expected, kindOf(value));
}

/** A value for a message: its kind and size where it is no plain one. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'bigint' || typeof value === 'symbol') return `a ${typeof value}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return shown(value);
  if (isTensor(value)) return `a ${value.dtype} tensor [${value.shape.join(', ')}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${(value as Uint8Array).length}`;
  if (isPromise(value)) return 'a promise';
  if (Array.isArray(value)) return `a list of ${value.length}: ${shown(value)}`;
  return shown(value);
}

/** What a tensor of TensorFlow.js is known by. */
export interface AnyTensor {
  shape: number[];
  dtype: string;
  isDisposed: boolean;
  dataSync(): ArrayLike<number>;
}

export function isTensor(value: unknown): value is AnyTensor {
  const { shape, dtype, dataSync } = (value ?? {}) as Partial<AnyTensor>;
  return Array.isArray(shape) && typeof dtype === 'string' && typeof dataSync === 'function';
}

const isPromise = (value: object) => typeof (value as { then?: unknown }).then === 'function';

/** A value with named fields: no list, no null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Only an Error says where it was thrown; what else is thrown is told by the export that threw it. */
function named(author: Author, name: string, thrown: unknown): unknown {
  if (thrown instanceof Error && typeof thrown.stack === 'string') return thrown;
  return new ContractError(`${name}: threw ${kindOf(thrown)}; expected an Error`, author.file);
}

/** A function of a plug-in whose result is checked; `owner` is its `this`. */
export function checkedSync<A extends unknown[], R>(
  author: Author,
  name: string,
  owner: object,
  fn: Fn<A, R>,
  check: (value: R, ...args: A) => void,
): Fn<A, R> {
  return (...args) => {
    let value: R;
    try {
      value = fn.apply(owner, args);
    } catch (error) {
      throw named(author, name, error);
    }
    check(value, ...args);
    return value;
  };
}

/** The same for a function that gives a promise. */
export function checkedAsync<A extends unknown[], R>(
  author: Author,
  name: string,
  owner: object,
  fn: Fn<A, Promise<R>>,
  check: (value: R, ...args: A) => void,
): Fn<A, Promise<R>> {
  return async (...args) => {
    let value: R;
    try {
      value = await fn.apply(owner, args);
    } catch (error) {
      throw named(author, name, error);
    }
    check(value, ...args);
    return value;
  };
}

/** What says why a plug-in cannot do its work here: `unavailable`. */
export const checkedReason = <A extends unknown[]>(author: Author, owner: object, fn: Fn<A, string | undefined>) =>
  checkedSync(author, 'unavailable', owner, fn, (reason, ..._context: A) => {
    const told = reason === undefined || typeof reason === 'string';
    demand(author, 'unavailable', told, 'a reason or undefined', reason);
  });

/** Of the functions that may be left out those that are there. @throws ContractError for what is there and no function. */
export function functionsOf(author: Author, owner: object, names: readonly string[], prefix = ''): string[] {
  return names.filter((name) => {
    const value = (owner as Record<string, unknown>)[name];
    demand(author, prefix + name, value === undefined || typeof value === 'function', 'a function', value);
    return value !== undefined;
  });
}

/** @throws ContractError for the first number that is not finite. */
export function requireFinite(author: Author, name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) refuse(author, name, 'finite numbers', `${values[i]} at place ${i}`);
  }
}
