import { command } from "../command.ts";
import { CliError } from "../errors.ts";

/** Each asks `NAME __complete WORDS...`, which prints a value, a tab and what it is. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_@NAME@() {
  local line IFS=$'\\n'
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ $line == "\${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$line")
  done < <(@NAME@ __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _@NAME@ @NAME@
`,
  zsh: `#compdef @NAME@
_@NAME@() {
  local -a values
  local value brief
  while IFS=$'\\t' read -r value brief; do
    values+=("\${value//:/\\\\:}:$brief")
  done < <(@NAME@ __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe @NAME@ values
}
compdef _@NAME@ @NAME@
`,
  fish: `complete -c @NAME@ -f -a '(set -l words (commandline -opc) (commandline -ct); @NAME@ __complete $words[2..-1])'
`,
};

/** `joblet completion SHELL`, of the program's own name. */
export const completion = command<Record<never, never>, [string]>(async ({ terminal }, _flags, shell) => {
  const script = SCRIPTS[shell];
  if (script === undefined) throw new CliError(`Cannot complete for '${shell}': it must be bash, zsh or fish`, 2);
  await terminal.out(script.replaceAll("@NAME@", terminal.program));
  return 0;
});
