/** @file A domain of texts: a folder of a group's own examples and concepts. */
import { defineDataset } from '../../harness/contract.ts';
import { type DomainOptions, domainOptions, openDomain } from './parts/domain.ts';

export default defineDataset<DomainOptions>({
  id: 'domain',
  title: 'A domain of texts: a folder of your own examples and concepts (saxbench new domain)',
  version: 1,
  modality: 'text',
  options: domainOptions,
  open: (options, context) => openDomain('domain', 'text', options, context),
});
