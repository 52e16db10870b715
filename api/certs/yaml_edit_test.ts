import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { editYaml } from "./yaml_edit.ts";

const SOURCE = `# head
a:
  block: |
    one
    two
  plain: text # why
  'quoted': 'it''s'
  double: "x"
list: [{ k: v }]
last: end
`;

Deno.test("editYaml exchanges texts however they are written, and nothing else", () => {
  const changes = {
    "a.block": "three\nfour\nfive\n",
    "a.plain": "new: #1",
    "a.quoted": "q\n",
    "a.double": '"d"',
    "list.0.k": "w",
    last: "of all",
  };
  const text = editYaml(SOURCE, changes);
  assert.deepEqual(parse(text), {
    a: { block: "three\nfour\nfive\n", plain: "new: #1", quoted: "q\n", double: '"d"' },
    list: [{ k: "w" }],
    last: "of all",
  });
  assert.match(text, /^# head\na:\n/);
  assert.match(text, / # why\n/);
});

Deno.test("editYaml refuses a path that is not there, and a folded block", () => {
  assert.throws(() => editYaml(SOURCE, { "a.none": "x" }), /Cannot change 'a\.none': it is not there/);
  assert.throws(() => editYaml("a: >\n  b\n", { a: "x" }), /write it as a block with '\|'/);
});
