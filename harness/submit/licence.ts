/** @file Licences by their SPDX ids: those that code and weights are usually published under, and any other by reference. */
import { suggest, UserError } from '../errors.ts';

const KNOWN = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BSL-1.0', 'ECL-2.0', 'EUPL-1.2', 'ISC', 'MIT', 'MPL-2.0'],
  ...['Unlicense', 'Zlib', 'CC0-1.0', 'CC-BY-4.0', 'CC-BY-SA-4.0', 'GPL-2.0-only', 'GPL-2.0-or-later', 'GPL-3.0-only'],
  ...['GPL-3.0-or-later', 'LGPL-2.1-only', 'LGPL-2.1-or-later', 'LGPL-3.0-only', 'LGPL-3.0-or-later'],
  ...['AGPL-3.0-only', 'AGPL-3.0-or-later'],
];
const OTHER = /^LicenseRef-[A-Za-z0-9.-]+$/;

/** @throws UserError for none, or one that nobody could look up. */
export function checkedLicence(text: string | undefined): string {
  const given = text?.trim() ?? '';
  if (KNOWN.includes(given) || OTHER.test(given)) return given;
  const close = suggest(given, KNOWN);
  const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
  throw new UserError(
    `submit: --licence: expected an SPDX id, e.g. Apache-2.0, MIT, CC-BY-4.0, or LicenseRef-NAME for another; found '${given}'.${hint}`,
  );
}
