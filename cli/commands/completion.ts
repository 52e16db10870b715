import { command } from "../command.ts";
import { CliError } from "../errors.ts";

/** Each asks `joblet __complete WORDS...`, which prints a value, a tab and what it is. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_joblet() {
  local line IFS=$'\\n'
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ $line == "\${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$line")
  done < <(joblet __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _joblet joblet
`,
  zsh: `#compdef joblet
_joblet() {
  local -a values
  local value brief
  while IFS=$'\\t' read -r value brief; do
    values+=("\${value//:/\\\\:}:$brief")
  done < <(joblet __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe joblet values
}
compdef _joblet joblet
`,
  fish: `complete -c joblet -f -a '(set -l words (commandline -opc) (commandline -ct); joblet __complete $words[2..-1])'
`,
};

/** `joblet completion SHELL`. */
export const completion = command<Record<never, never>, [string]>(async ({ terminal }, _flags, shell) => {
  const script = SCRIPTS[shell];
  if (script === undefined) throw new CliError(`Cannot complete for '${shell}': it must be bash, zsh or fish`, 2);
  await terminal.out(script);
  return 0;
});
