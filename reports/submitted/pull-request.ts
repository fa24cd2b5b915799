/** @file The text of the pull request that brings a submission. */
import { markdownText } from '../escape.ts';
import type { Submission } from './file.ts';
import { sourceDigest } from './listed.ts';

/** @param table The rows of the method beside the others, as plain text. */
export function pullRequest(submission: Submission, table: string): string {
  const { name, kind, protocol, licence, citation, tuning, source, seeds, environment, checks, leftOut, results } =
    submission;
  const { saxbench, git, backend, cpu, node } = environment;
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');
  const files =
    kind === 'checkpoint'
      ? []
      : [`\`reports/submissions/${name}/\`: ${source.files.map(({ path }) => `\`${path}\``).join(', ')}`];
  return `# Submission: ${name} (protocol ${protocol})

${markdownText(results[0]!.method.title)}

${list([
  `To cite: ${markdownText(citation)}`,
  `Licence: ${markdownText(licence)}`,
  `Tuned: ${markdownText(tuning)}`,
  `${results.length} results, seeds ${seeds.join(', ')}; source ${sourceDigest(source)}`,
  `Made by saxbench ${saxbench}${git ? ` (${git.commit.slice(0, 12)})` : ''} on ${markdownText(`${cpu}, ${backend.name} ${backend.detail}, Node ${node}`)}`,
  ...leftOut.map(({ subject, reason }) => `Left out: ${markdownText(`${subject}: ${reason}`)}`),
])}

\`\`\`text
${table.replaceAll('`', "'")}
\`\`\`

Found well before the run:

${list(checks.map(markdownText))}

Files of this pull request:

${list([`\`reports/submissions/${name}.json\``, ...files, '`LEADERBOARD.md`, rendered by `npm run leaderboard`'])}

I confirm, for all who took part:

${list([
  '[ ] Nothing was tuned, selected or stopped on results of this suite with its own data and seeds (CONTRIBUTING.md, "The protocol").',
  '[ ] The code and the weights may be published under the licence above.',
  '[ ] There is no `.verified.json` in this pull request: who merges it writes one.',
])}

To verify, by somebody else (it runs the code above: read it first, or use the container of CONTRIBUTING.md):
\`npx saxbench verify reports/submissions/${name}.json\`
`;
}
