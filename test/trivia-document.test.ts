/** The commands of docs/trivia.md by which the game is played, run as they stand there. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startTestApp } from "./helpers/app.ts";

const run = promisify(execFile);
const documentedUrl = "http://127.0.0.1:8000";

test("the game is played by the commands of docs/trivia.md, as it says", async () => {
  const text = await readFile(path.join(import.meta.dirname, "../docs/trivia.md"), "utf8");
  const commands = /^## Play by curl\n.*?^```bash\n(?<commands>.*?)^```/ms.exec(text)?.groups?.["commands"] ?? "";
  const app = await startTestApp({});
  const directory = await mkdtemp(path.join(tmpdir(), "chat-trivia-"));
  try {
    const script = commands.replaceAll(documentedUrl, app.baseUrl).replaceAll(/^curl .*/gm, "$&; echo");
    const { stdout } = await run("bash", ["-euc", script], { cwd: directory });
    const answers = stdout.split("\n").filter((line) => line !== "");
    const [shows, begun, helped, answered, read, stopped, ...boards] = answers.map((line) => JSON.parse(line));
    expect(shows.shows).toContainEqual(expect.objectContaining({ id: "frasier" }));
    expect(begun).toMatchObject({ username: "TR", show: "frasier", status: "playing", token: expect.any(String) });
    expect(helped.question.hint).toEqual(expect.any(String));
    expect(answered).toMatchObject({ verdict: { number: 1, evidence: {} }, game: { question: { number: 2 } } });
    expect(read).toEqual(answered.game);
    expect(stopped).toMatchObject({ game_id: begun.game_id, status: "stopped" });
    expect(boards).toMatchObject([{ show: null }, { show: "frasier" }, { questions: 10 }]);
  } finally {
    await app.close();
    await rm(directory, { recursive: true });
  }
});
