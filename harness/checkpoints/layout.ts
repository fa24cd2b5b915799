/** @file What a layout defines: how one program's files are known, and how they become the common form. */
import type { OwnSae } from '../train/own-layout.ts';
import type { Checkpoint, CheckpointFacts } from './form.ts';
import type { Place } from './place.ts';

/** A checkpoint whose configuration has been read and checked; its weights are read on demand. */
export type OpenedCheckpoint = {
  facts: CheckpointFacts;
  /** The files that decide its numbers, relative to the folder. */
  files: string[];
} & (
  | {
      own?: undefined;
      /**
       * The weights in the common form; an input scale that the files have is folded.
       *
       * @throws UserError for tensors that are missing, too many, of another shape or not finite.
       */
      read(): Promise<Checkpoint>;
    }
  // Only the plug-in that it was trained with can use it.
  | { own: OwnSae }
);

export interface Layout {
  id: string;
  /** The program that writes it, for messages. */
  title: string;
  /**
   * The file of weights, relative to the folder, where the place is in this layout; undefined where it is not. Looks at
   * names, and at headers where names do not tell.
   */
  claim(place: Place): Promise<string | undefined>;
  /**
   * @param weights What `claim` gave.
   * @throws UserError for configurations that are broken, contradict the weights' header or are not served.
   */
  open(place: Place, weights: string): Promise<OpenedCheckpoint>;
}
