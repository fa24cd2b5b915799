/** @file What a layout defines: how one program's files are known, and how they become the common form. */
import type { OwnSae } from '../train/own-layout.ts';
import type { Checkpoint, CheckpointFacts } from './form.ts';
import type { Place } from './place.ts';
import type { NamedWeights } from './tensors.ts';

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
   * The file of weights, relative to the folder, where the names of files tell that the place is in this layout; a
   * configuration is looked at where names are shared.
   */
  claim?(place: Place): Promise<string | undefined>;
  /** Whether a file that no names tell is in this layout, by the names of its tensors. */
  claimTensors?(weights: NamedWeights, place: Place): boolean;
  /** What of {@link Place.given} it takes; others say all of it in their files. */
  takes?: readonly string[];
  /**
   * @param weights Its file of weights.
   * @throws UserError for configurations that are broken, contradict the weights' header or are not served.
   */
  open(place: Place, weights: string): Promise<OpenedCheckpoint>;
}
