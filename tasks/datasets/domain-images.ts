/** @file A domain of images: a folder of a group's own examples and concepts. */
import { defineDataset } from '../../harness/contract.ts';
import { type DomainOptions, domainOptions, openDomain } from './parts/domain.ts';

export default defineDataset<DomainOptions>({
  id: 'domain-images',
  title: 'A domain of images: a folder of your own examples and concepts (saxbench new domain)',
  version: 1,
  modality: 'image',
  options: domainOptions,
  open: (options, context) => openDomain('domain-images', 'image', options, context),
});
