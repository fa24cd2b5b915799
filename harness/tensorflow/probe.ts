/** @file Computes a product on backend `tensorflow`, in a process of its own, and says what it ran on. */
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import type { Environment } from '../io/hub-cache.ts';
import { lastLine, runProgram } from '../io/program.ts';
import { codeExtension } from '../paths.ts';

export interface Probed {
  /** Whether it computes on a GPU. */
  gpu: boolean;
  device: string;
  version: string;
}

const PRODUCT = '[[19,22],[43,50]]';

/** @throws UserError where it does not load, or computes something else. */
export async function probe(
  folder: string,
  { env, signal }: { env: Environment; signal?: AbortSignal | undefined },
): Promise<Probed> {
  const module = fileURLToPath(new URL(`probe-main${codeExtension}`, import.meta.url));
  const loader = codeExtension === '.ts' ? ['--import', import.meta.resolve('tsx')] : [];
  const options = { env: { ...env, SAXBENCH_TENSORFLOW: folder }, signal };
  const { code, stdout, stderr } = await runProgram(process.execPath, [...loader, module], options);
  if (code !== 0) throw new UserError(`tensorflow: it does not start: ${lastLine(stderr) || `exit code ${code}`}`);
  const { product, ...probed } = JSON.parse(lastLine(stdout)) as Probed & { product: unknown };
  if (JSON.stringify(product) === PRODUCT) return probed;
  throw new UserError(`tensorflow: expected the product ${PRODUCT}, found ${JSON.stringify(product)}: not used.`);
}
