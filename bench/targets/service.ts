/** The service, as `npm start` runs it, with its database in a file or on a Redis server. */
import http from "node:http";
import { loopProbe } from "../measuring/loop-delay.ts";
import { promptOf } from "../texts.ts";
import { get, sessionIdOf } from "./get.ts";
import { makeDirectory, removeDirectory } from "./leftovers.ts";
import { startServer } from "./processes.ts";
import { slowSyncs } from "./slow-syncs.ts";
import type { AnswerReader, Target } from "./target.ts";

/** Sessions that are opened at the same time. */
const openers = 32;

export type ServiceOptions = {
  readonly providerOrigin: string;
  readonly cpuProfiles?: string | undefined;
  /** Without it a new file that is deleted at the end. */
  readonly storageUrl?: string | undefined;
  /** What `trivia:import` made; without it the game knows the starter pack alone. */
  readonly knowledgeFile?: string | undefined;
  /** Milliseconds by which every sync of a file takes longer; 0 for a disk as it is. Needs strace. */
  readonly syncDelayMs?: number;
  /** Where it tells how late its event loop is; see measuring/loop-delay.ts. */
  readonly loopDelayFile?: string | undefined;
};

export async function startService({
  providerOrigin,
  cpuProfiles,
  storageUrl,
  knowledgeFile,
  syncDelayMs = 0,
  loopDelayFile,
}: ServiceOptions): Promise<Target> {
  const directory = await makeDirectory();
  const server = await startServer({
    entry: "src/main.ts",
    directory,
    environment: {
      PORT: "0",
      OPENAI_BASE_URL: `${providerOrigin}/v1`,
      OPENAI_MODEL: "bench",
      ...(storageUrl !== undefined && { STORAGE_URL: storageUrl }),
      ...(knowledgeFile !== undefined && { KNOWLEDGE_PATH: knowledgeFile }),
      ...(loopDelayFile !== undefined && loopProbe(loopDelayFile)),
    },
    wrapper: syncDelayMs === 0 ? [] : slowSyncs(syncDelayMs),
    cpuProfiles,
  });
  return {
    name: "service",
    server,
    async prepare(streams) {
      const sessions = await openSessions(server.origin, streams);
      return sessions.map((session, stream) => ({
        method: "PUT",
        path: `/chat/${session}`,
        body: JSON.stringify({ payload: promptOf(stream) }),
      }));
    },
    newReader: () => new EventStreamReader(),
    async stop() {
      await server.stop();
      await removeDirectory(directory);
    },
  };
}

export async function openSessions(origin: string, count: number): Promise<readonly string[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: openers });
  const sessions: string[] = [];
  let asked = 0;
  const openSome = async () => {
    while (asked < count) {
      asked += 1;
      sessions.push(sessionIdOf(await get(`${origin}/?username=bench`, agent)));
    }
  };
  await Promise.all(Array.from({ length: openers }, openSome));
  agent.destroy();
  return sessions;
}

/** The service's own events. */
class EventStreamReader implements AnswerReader {
  #ends = 0;
  #isCompleted = false;

  take(event: string): string {
    if (this.#ends > 0) this.#ends += 1;
    const data = event.slice(event.indexOf("\ndata: ") + "\ndata: ".length);
    if (event.startsWith("id: ")) return (JSON.parse(data) as { text: string }).text;
    if (event.startsWith("event: end\n")) {
      this.#ends += 1;
      this.#isCompleted = (JSON.parse(data) as { status: string }).status === "completed";
    }
    return "";
  }

  get isWhole(): boolean {
    return this.#isCompleted && this.#ends === 1;
  }
}
