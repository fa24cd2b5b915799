/** @file For the tests: the backends that they run on. */
import { type BackendName, probeBackends } from '../num/backend.ts';

/** `SAXBENCH_TEST_BACKEND=webgpu npm test -- '^harness/num/ops'` runs on that one alone. */
export const ONLY = process.env['SAXBENCH_TEST_BACKEND'] as BackendName | undefined;

/** Every backend that starts here; of one that does not, the reason is printed where it alone is asked for. */
export async function testBackends(): Promise<BackendName[]> {
  const probes = (await probeBackends()).filter(({ name }) => ONLY === undefined || name === ONLY);
  if (probes.length === 0) throw new Error(`SAXBENCH_TEST_BACKEND: expected a backend, found '${ONLY}'`);
  for (const probe of probes) {
    if (ONLY !== undefined && !probe.available) console.log(`skipped: backend ${probe.name}: ${probe.reason}`);
  }
  return probes.flatMap(({ name, available }) => (available ? [name] : []));
}
