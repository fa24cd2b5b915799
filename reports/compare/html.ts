/** @file A comparison as one self-contained page. */
import { renderTemplate } from '../template.ts';
import type { Comparison } from './comparison.ts';
import { viewOf } from './view.ts';

/** The page's text: no scripts, nothing to download. */
export const renderHtml = (comparison: Comparison): Promise<string> =>
  renderTemplate('compare.html.hbs', viewOf(comparison));
