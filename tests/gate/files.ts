/** A text file of the repository. */
export interface SourceFile {
  /** Relative to the repository, `core/jobs/job.ts`. */
  readonly path: string;
  readonly text: string;
}

const SKIPPED_FOLDERS = new Set([".git", "dist", "coverage", "node_modules"]);
const TEXT = /(\.(ts|js|sh|c|h|ld|S|md|json|proto|yaml|yml|service|lock)|\/run|\.gitignore|\.deno-version)$/;

/**
 * All text files of the working tree, tracked or not. Walks instead of asking git, which refuses to answer where the tree
 * belongs to another user. @param root absolute, without a slash at the end
 */
export async function repositoryFiles(root: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const walk = async (prefix: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(`${root}/${prefix}`)) {
      const path = prefix + name;
      if (isDirectory && !SKIPPED_FOLDERS.has(name)) await walk(`${path}/`);
      if (isFile && TEXT.test(path)) files.push({ path, text: await Deno.readTextFile(`${root}/${path}`) });
    }
  };
  await walk("");
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Where a rule was broken. */
export interface Complaint {
  readonly path: string;
  /** From 1; 0 if the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** The number, from 1, of the line that holds the offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
