/** @file Any file of unlabelled documents: TinyStories and the like. */
import { defineDataset } from '../../harness/contract.ts';
import { sha256File, sha256Json } from '../../harness/kit/index.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { readDocuments } from './parts/documents.ts';
import { findData, type PathOption, pathOption, sourceNotes } from './parts/files.ts';

interface Options {
  path?: PathOption;
  field: string;
}

/** No concepts: for activations, reconstruction and monosemanticity. */
export default defineDataset<Options>({
  id: 'stories',
  title: 'Documents of a file (JSON list, JSON lines, parquet, CSV, or text with empty lines between documents)',
  version: 1,
  modality: 'text',
  options: {
    path: pathOption('The file of documents.'),
    field: {
      type: 'string',
      minLength: 1,
      default: 'text',
      description: 'Where entries that are objects have their text.',
    },
  },
  async open({ path: given, field }, context) {
    const source = await findData({ dataset: 'stories', context }, 'path', given);
    const { path } = source;
    const { seed } = context;
    return {
      id: 'stories',
      modality: 'text',
      fingerprint: sha256Json({ file: await sha256File(path), field, seed }),
      notes: sourceNotes([source]),
      ...documentCorpus('stories', () => readDocuments(path, field)),
    };
  },
});
