/** F13: what looks like SQL is text, wherever a client may put it. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "./helpers/http-server.ts";

const attacks = [
  "'); DROP TABLE sessions; --",
  '"; DELETE FROM turns; --',
  "' OR '1'='1",
  "1; PRAGMA user_version = 7; --",
  "x' UNION SELECT owner, token FROM owners --",
  "?1 :name $name @name %s {0}",
  "\\'; VACUUM INTO '/tmp/stolen'; --",
];

describe("F13: SQL in a field", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  test.for(attacks)("%s is stored and given back as it is, and nothing else happens", async (attack) => {
    const { sessionId: bystander } = await server.openSession();
    const json = { "content-type": "application/json" };
    const body = JSON.stringify({ username: attack, title: attack, instructions: attack });
    const opened = await fetch(`${server.url}/sessions`, { method: "POST", headers: json, body });
    expect(opened.status).toBe(201);
    const { session_id: sessionId } = (await opened.json()) as { session_id: string };
    server.model.say(attack);
    server.model.finish();
    await (await server.ask(sessionId, "text/event-stream", attack)).text();

    const session = await (await fetch(`${server.url}/sessions/${sessionId}`)).json();
    expect(session).toMatchObject({ username: attack, title: attack, instructions: attack, turns: 1 });
    const history = await (await fetch(`${server.url}/chat_history/${sessionId}`)).json();
    expect(history).toMatchObject({ username: attack, message_history: [{ content: attack }, { content: attack }] });

    const encoded = encodeURIComponent(attack);
    const elsewhere: [status: number, path: string, headers?: Record<string, string>][] = [
      [404, `/chat/${encoded}`],
      [404, `/chat_history/${encoded}`],
      [404, `/chat/${sessionId}/${encoded}`],
      [400, `/chat/${sessionId}?after=${encoded}`],
      [422, `/chat_history/${sessionId}?limit=${encoded}`],
      [200, `/?username=${encoded}`],
    ];
    for (const [status, target] of elsewhere) {
      expect((await fetch(server.url + target)).status, target).toBe(status);
    }
    const withToken = await fetch(`${server.url}/?username=TR`, { headers: { authorization: "Bearer ' OR 1=1 --" } });
    expect(withToken.status).toBe(401);
    expect((await fetch(`${server.url}/sessions/${bystander}`)).status).toBe(200);
  });
});

describe("F13: statements", () => {
  /** Statements with something put into them, by a template or a plus, but for constants of the same file. */
  function builtStatements(source: string): string[] {
    const statements = source.match(/\.(?:prepare|exec)\(\s*(?:`[^`]*\$\{[^`]*`|"[^"]*"\s*\+|[^"`)]*\+)/g) ?? [];
    const isConstant = (name: string) => new RegExp(`^ *(?:export )?const ${name} = ["\`\\d]`, "m").test(source);
    return statements.filter((statement) => {
      const names = [...statement.matchAll(/\$\{(?<name>[^}]*)\}/g)].map(({ groups }) => groups?.["name"] ?? "");
      return names.length === 0 || !names.every((name) => /^\w+$/.test(name) && isConstant(name));
    });
  }

  test("are never built from what they are about: every value is bound", () => {
    const folder = path.join(import.meta.dirname, "../src/storage/sqlite");
    const files = readdirSync(folder, { recursive: true }).map(String);
    // A schema's statements take no values, and pragmas no parameters.
    const sources = files.filter((name) => /(?<!\.test|schema)\.ts$/.test(name));
    expect(sources.length).toBeGreaterThan(10);
    const found = sources.flatMap((name) =>
      builtStatements(readFileSync(path.join(folder, name), "utf8")).map((statement) => `${name}: ${statement}`),
    );
    expect(found).toEqual([]);
  });

  test.for([
    'database.prepare("SELECT * FROM turns WHERE id = " + id)',
    ["database.exec(`DELETE FROM turns WHERE id = '$", "{id}'`)"].join(""),
    ["database.prepare(\n  `SELECT $", "{column} FROM turns`,\n)"].join(""),
    "database.prepare(select + where)",
  ])("so that %s is caught", (source) => {
    expect(builtStatements(source)).toHaveLength(1);
  });
});
