/** @file A domain's folder: its table of examples in each form, its concepts and settings; and archives of labelled texts. */
import { gzipSync } from 'node:zlib';
import { findingsOf } from '../../domain/findings.ts';
import { readDomain } from '../../domain/read.ts';
import { splitDomain } from '../../domain/splits.ts';
import { readTar } from '../../io/tar.ts';
import { TAR_END, tarMember } from '../tar.ts';
import { mutateBytes, mutateJson, mutateLine, type Seed } from './mutate.ts';
import type { FuzzReader } from './reader.ts';

const WIDE = `id,text,group_id,split,age,gull,"tern, arctic"
a,a gull over the sea,n1,train,3,1,0
b,"two terns, and ""none"" else",n1,train,NA,0,1
c,nothing,n2,test,5,,hard_negative
d,a gull again,n3,test,7,1,
`;
const LONG = `text,concept,role
a gull over the sea,gull,positive
two terns,gull,negative
a gull over the sea,"tern, arctic",negative
two terns,"tern, arctic",positive
a glove,gull,hard_negative
`;
const LINES = `{"id":"a","text":"a gull over the sea","gull":1,"tern, arctic":"0"}
{"id":"b","text":"two terns","gull":false,"tern, arctic":1}
{"id":"c","text":"nothing","gull":null}
`;
const CONCEPTS = `name,synonyms,code,parent,definition,prevalence,deniable
bird,,B01,,,,
gull,sea mew; larus,,bird,a white bird,0.02,no
"tern, arctic",,,bird,,,yes
`;
const SETTINGS = '{"covariates":["age"],"ignore":["note"],"texts":"private","seeds":[0]}';

/** A domain of which one file is changed. */
function domain(target: string, examples: Record<string, string>): Seed {
  const files = { ...examples, 'concepts.csv': CONCEPTS, 'suite.json': SETTINGS };
  return { files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])), target };
}

const wide = (target: string): Seed => domain(target, { 'examples.csv': WIDE });

/** Reads it and finds out what `validate` tells. */
const readWhole: FuzzReader['read'] = async (_, folder) => {
  const domain = await readDomain(folder);
  return findingsOf(domain, splitDomain(domain, 0, 0.4));
};

const ARCHIVE = Buffer.concat([tarMember('./a/one.tsv', 'x\tO\n'), tarMember('b/two.tsv', 'y'.repeat(700)), TAR_END]);

export const DOMAIN_READERS: Record<string, FuzzReader> = {
  'domain examples': {
    seeds: async () => [wide('examples.csv'), domain('examples.csv', { 'examples.csv': LONG })],
    mutate: mutateBytes,
    read: readWhole,
  },
  'domain examples.jsonl': {
    seeds: async () => [domain('examples.jsonl', { 'examples.jsonl': LINES })],
    mutate: mutateLine,
    read: readWhole,
  },
  'domain concepts.csv': { seeds: async () => [wide('concepts.csv')], mutate: mutateBytes, read: readWhole },
  'domain suite.json': { seeds: async () => [wide('suite.json')], mutate: mutateJson, read: readWhole },
  tar: {
    seeds: async () =>
      [ARCHIVE, gzipSync(ARCHIVE)].map((archive) => ({ files: { 'x.tar': archive }, target: 'x.tar' })),
    mutate: mutateBytes,
    read: (file) => readTar(file, () => true),
  },
};
