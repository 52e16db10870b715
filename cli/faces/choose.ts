/** One program, several command lines: which of them is meant. Loaded at every start, so it loads nothing itself. */

/** The command lines: joblet's own, and those that people know from elsewhere. */
export const FACES = ["joblet", "rnx", "jobworker", "jobc"] as const;

export type FaceName = (typeof FACES)[number];

export interface ChosenFace {
  readonly name: FaceName;
  /** The words that are left for it. */
  readonly words: readonly string[];
}

/**
 * The face by the name that the program was called by, or, of `joblet`, by its first word: `joblet rnx job list`.
 * @param program last part of the name, such as "rnx"; a name that is no face's means joblet
 */
export function chooseFace(program: string, words: readonly string[]): ChosenFace {
  const called = faceNamed(program);
  if (called && called !== "joblet") return { name: called, words };
  // A shell that asks for completions asks for a face's own once there is a word behind its name.
  const at = words[0] === "__complete" && words.length > 2 ? 1 : 0;
  const named = faceNamed(words[at]);
  if (named) return { name: named, words: words.toSpliced(at, 1) };
  return { name: "joblet", words };
}

function faceNamed(word: string | undefined): FaceName | undefined {
  return FACES.find((name) => name === word);
}
