import type { Chance } from './chance.ts';

/** One reader under test. */
export interface Target {
  /** Inputs that are whole: every mutation starts from one of them. */
  seeds(): readonly Uint8Array[];
  mutate(seed: Uint8Array, chance: Chance): Uint8Array;
  /**
   * Has the product read an input, and looks at what it gives. Throws `DscAuditError` where the product refuses it; anything
   * else that is thrown breaks the law.
   *
   * @param folder for inputs that have to be files
   */
  read(input: Uint8Array, chance: Chance, folder: string): void | Promise<void>;
  /** The ending of a file that the command takes as a model: what hangs here is tried there, where a thread confines it. */
  readonly confined?: `.${string}`;
}
