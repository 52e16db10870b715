import assert from "node:assert/strict";
import { functionSpans } from "./functions.ts";
import { mask } from "./mask.ts";

function spans(source: string): string[] {
  return functionSpans(mask(source).code).map(({ name, line, lines }) => `${name} ${line} ${lines}`);
}

Deno.test("functionSpans measures from the head to the closing brace", () => {
  assert.deepEqual(spans("\nfunction f(\n  a: number,\n): void {\n  a;\n}\n"), ["f 2 5"]);
});

Deno.test("functionSpans finds methods, constructors, getters, generics and arrow functions", () => {
  const source = `class A {
  constructor(readonly a: { b: 1 }) {}
  get x() { return 1; }
  async *m<T>(t: T): AsyncGenerator<{ a: T }, void> { yield { a: t }; }
  #p = () => { return 1; };
}`;
  assert.deepEqual(spans(source), ["constructor 2 1", "x 3 1", "m 4 1", "arrow function 5 1"]);
});

Deno.test("functionSpans skips a return type that has braces of its own", () => {
  assert.deepEqual(spans("function f(): { a: number } | Map<string, { b: 1 }> {\n}\n"), ["f 1 2"]);
});

Deno.test("functionSpans takes no control statement, call or conditional for a function", () => {
  assert.deepEqual(
    spans("if (a) {\n}\nfor (;;) {\n}\nconst x = a ? f(b) : { c: 1 };\nswitch (a) {\ncase g(1): { }\n}\n"),
    [],
  );
});

Deno.test("functionSpans takes no signature of an interface for a function", () => {
  assert.deepEqual(spans("interface A {\n  f(a: string): void;\n  g(): { a: 1 };\n}\nconst a = { b: 1 };\n"), []);
});
