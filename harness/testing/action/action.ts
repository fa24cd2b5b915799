/** @file action.yml as a runner of GitHub Actions would take it: its steps in order, their scripts run by bash. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { packageRoot } from '../../paths.ts';

export interface ActionStep {
  name: string;
  id?: string;
  if?: string;
  uses?: string;
  shell?: string;
  env?: Record<string, string>;
  run?: string;
}

export interface Action {
  inputs: Record<string, { description: string; default: string }>;
  runs: { using: string; steps: ActionStep[] };
}

/** The action of this repository. */
export const readAction = (): Action => load(readFileSync(join(packageRoot, 'action.yml'), 'utf8')) as Action;

/** What a job came to: its exit code, what it printed, and the summary that people see. */
export interface JobOutcome {
  code: number;
  output: string;
  summary: string;
}

/**
 * Runs the scripts of the action's steps in a folder; what it takes from others (cache, artifacts) is left out, and so is
 * the installation. A step that fails ends the job.
 *
 * @throws Error for an expression that this runner does not know.
 */
export function runAction(cwd: string, given: Record<string, string>): JobOutcome {
  const { inputs, runs } = readAction();
  const files = mkdtempSync(join(tmpdir(), 'saxbench-action-'));
  const [outputs, summary] = [join(files, 'output'), join(files, 'summary')];
  const known = new Map(
    Object.entries(inputs).map(([name, input]) => [`inputs.${name}`, given[name] ?? input.default]),
  );
  const evaluated = (text: string) =>
    text.replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => {
      const value = known.get(name);
      if (value === undefined) throw new Error(`action.yml: ${name} is not known here`);
      return value;
    });
  let output = '';
  try {
    writeFileSync(summary, '');
    for (const { name, id, if: condition, env = {}, run } of runs.steps) {
      if (run === undefined || condition === "inputs.command == ''") continue;
      writeFileSync(outputs, '');
      const own = Object.fromEntries(Object.entries(env).map(([key, text]) => [key, evaluated(text)]));
      const places = { GITHUB_ACTION_PATH: packageRoot, GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: summary };
      // As GitHub runs `shell: bash`.
      const bash = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run];
      const done = spawnSync('bash', bash, { cwd, encoding: 'utf8', env: { ...process.env, ...places, ...own } });
      output += `== ${name}\n${done.stdout}${done.stderr}`;
      if (done.status !== 0) return { code: done.status ?? 1, output, summary: readFileSync(summary, 'utf8') };
      for (const [, key, value] of readFileSync(outputs, 'utf8').matchAll(/^(\w+)=(.*)$/gm)) {
        known.set(`steps.${id}.outputs.${key}`, value!);
      }
    }
    return { code: 0, output, summary: readFileSync(summary, 'utf8') };
  } finally {
    rmSync(files, { recursive: true });
  }
}
