/** @file What a setting is: a flag, a key of the config file and an environment variable. */

/** Commands by name, as the table refers to them. */
export type CommandName =
  | 'run'
  | 'train'
  | 'report'
  | 'compare'
  | 'history'
  | 'assess'
  | 'ls'
  | 'fetch'
  | 'store'
  | 'validate'
  | 'convert'
  | 'new'
  | 'submit'
  | 'verify'
  | 'doctor';

export interface Setting {
  /** Key in the config file; the flag is `--<name>` and the variable `SAXBENCH_<NAME>` with underscores. */
  name: string;
  type: 'string' | 'number' | 'boolean' | 'list';
  description: string;
  /** Commands that have it. */
  commands: readonly CommandName[];
  /** Name of the value in `--help`. */
  value?: string;
  choices?: readonly string[];
  default?: string | number | boolean;
  /** Lowest allowed value; numbers are whole. */
  min?: number;
  /** Not read from a config file, which may come with somebody else's checkout: it says where texts and a key are sent, or what is fetched. */
  personal?: boolean;
}
