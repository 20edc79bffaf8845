/** What can be wrong with a JSON body. */
import type { SeededRandom } from "../helpers/seeded-random.ts";
import { canary } from "./request-generator.ts";

export type BodyMutation = {
  readonly name: string;
  /** True where no route that takes JSON may accept the outcome. */
  readonly isWrong: boolean;
  /** True where that is so for what the route requires, and it may require nothing. */
  readonly isOfField: boolean;
  /** @param required a field that the schema requires */
  readonly change: (body: Record<string, unknown>, required: string, random: SeededRandom) => Buffer | string;
};

const json = JSON.stringify;

function nested(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

function right(name: string, change: BodyMutation["change"]): BodyMutation {
  return { name, isWrong: false, isOfField: false, change };
}

function wrong(name: string, change: BodyMutation["change"]): BodyMutation {
  return { name, isWrong: true, isOfField: false, change };
}

function wrongField(name: string, change: BodyMutation["change"]): BodyMutation {
  return { name, isWrong: true, isOfField: true, change };
}

const wrongTypes: readonly unknown[] = [null, true, 7, -0, 1e308, [], {}, ["x"], { toString: "x" }, [[]]];
const oddTexts = ["\ufeffBOM", "\u001b[31mred", "\u2028\u2029", "𝒳".repeat(60), "a\u0300\u0301", "\ufffe\uffff", "\r"];

export const bodyMutations: readonly BodyMutation[] = [
  wrongField("a required field is missing", (body, required) => json({ ...body, [required]: undefined })),
  wrongField("a required field has the wrong type", (body, required, random) =>
    json({ ...body, [required]: random.pick(wrongTypes) }),
  ),
  wrongField("a required field is blank", (body, required) => json({ ...body, [required]: " \n\t" })),
  wrongField("half a surrogate pair", (body, required, random) =>
    json({ ...body, [required]: random.pick(["\ud800", "x\udc00x", `\udfff${canary}`]) }),
  ),
  wrongField("NUL", (body, required) => json({ ...body, [required]: `a\0${canary}` })),
  wrongField("a field too large", (body, required) => json({ ...body, [required]: "é".repeat(40_000) })),
  wrong("over 256 KiB", (body) => json({ ...body, more: "x".repeat(262_144) })),
  wrong("nested too deeply", (body, _required, random) =>
    json(body).replace("{", `{"a":${nested(random.pick([40, 1_000, 20_000]))},`),
  ),
  wrong("too many values", (body) => json({ ...body, many: Array.from({ length: 10_001 }, () => 0) })),
  wrong("too many keys", (body) =>
    json({ ...body, many: Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, 0])) }),
  ),
  wrong("not an object", (body, _required, random) => random.pick(["null", "[]", "7", '"x"', "true", json([body])])),
  wrong("cut off", (body, _required, random) => {
    const text = json(body);
    return text.slice(0, random.between(0, text.length - 1));
  }),
  wrong("no JSON", (_body, _required, random) =>
    random.pick([
      "",
      "{",
      "payload=x",
      "{'payload':'x'}",
      "NaN",
      "{} {}",
      '{"a":1,}',
      "// x\n{}",
      "<a/>",
      "\0",
      "undefined",
    ]),
  ),
  wrong("bytes that are no UTF-8", (body, required) =>
    Buffer.concat([
      Buffer.from(json({ ...body, [required]: "x" }).slice(0, -2)),
      Buffer.from([0xff, 0xc0, 0x22, 0x7d]),
    ]),
  ),
  wrong("UTF-16", (body) => Buffer.from(json(body), "utf16le")),
  wrong("random bytes", (_body, _required, random) =>
    Buffer.from(Array.from({ length: random.between(1, 200) }, () => random.between(0, 255))),
  ),
  right("fields that do not exist", (body) =>
    json({ ...body, owner: canary, role: "system", status: "completed", session_id: "x", [canary]: canary }),
  ),
  right("names of Object.prototype", (body) =>
    json(body).replace("{", '{"__proto__":{"payload":"x","username":"x"},"constructor":{"prototype":{}},"toString":1,'),
  ),
  right("a field twice", (body, required) => json(body).replace("{", `{"${required}":7,`)),
  right("odd text", (body, required, random) => json({ ...body, [required]: `a${random.pick(oddTexts)}` })),
  right("white space around it", (body) => ` \r\n\t${json(body)}\n `),
  right("every character escaped", (body) =>
    json(body).replace(/[a-z](?=[^"]*"[,}])/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
  ),
  right("an odd `replaces`", (body, _required, random) =>
    json({ ...body, replaces: random.pick([0, -1, 1.5, 2 ** 53, "1", null, [1], 999_999]) }),
  ),
  right("a large number of small values", (body) => json({ ...body, many: Array.from({ length: 9_000 }, () => 0) })),
];
