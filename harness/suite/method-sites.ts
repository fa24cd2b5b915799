/** @file The sites of a suite's methods, where a command line studies others than the suite. */
import type { SuiteMethod } from '../schema/suite.generated.ts';
import { methodName } from './load.ts';
import { meantFor } from './meant-for.ts';

/**
 * The methods with the sites that are studied in place of the suite's: a site that none of a method's entries is meant
 * for falls to the first of them, and an entry that is left without a site is left out.
 *
 * @param studied Names of all sites that the command line studies.
 */
export function methodsAt(methods: SuiteMethod[], studied: readonly string[]): SuiteMethod[] {
  const keyOf = (method: SuiteMethod) => JSON.stringify([methodName(method), method.subjects ?? null]);
  return methods.flatMap((method) => {
    if (method.sites === undefined) return [method];
    const alike = methods.filter((other) => keyOf(other) === keyOf(method));
    const open = method === alike[0] ? studied.filter((site) => !alike.some((each) => meantFor(each, site))) : [];
    const sites = [...new Set([...studied.filter((site) => meantFor(method, site)), ...open])];
    return sites.length === 0 ? [] : [{ ...method, sites }];
  });
}
