/** A repeatable flag for `NAME=VALUE`. @param flag with its dashes, for the message, which has no value: it may be a secret */
export function environmentFlag(flag: string, brief: string) {
  const parse = (text: string): readonly [string, string] => {
    const at = text.indexOf("=");
    if (at < 1) throw new RangeError(`Cannot use ${flag}: it must look like NAME=VALUE`);
    return [text.slice(0, at), text.slice(at + 1)];
  };
  return { kind: "parsed", parse, brief, placeholder: "K=V", optional: true, variadic: true } as const;
}
