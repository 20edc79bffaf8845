/** Several replicas of the real service on one storage, behind nginx: what compose.replicas.yaml starts, as processes. */

import { judgeAnswers } from "./judged-services.ts";
import { type Nginx, startNginx } from "./nginx.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";
import { type Service, startService } from "./service.ts";

export type ReplicasOptions = {
  /** How many; three by default. */
  readonly count?: number;
  /** For each replica. */
  readonly environment?: Record<string, string>;
  /** Where they keep everything, instead of a Redis server that is started for them. */
  readonly storageUrl?: string;
};

export type Replicas = {
  /** Of nginx. */
  readonly baseUrl: string;
  readonly nginx: Nginx;
  /** Those that were started; a test may end some of them. */
  readonly services: readonly Service[];
  /** @throws Error where a `storageUrl` was given */
  readonly redis: RedisServer;
  /** Starts one more replica, which nginx knows from now on; what was ended is left out. */
  add(): Promise<Service>;
  close(): Promise<void>;
};

export async function startReplicas(options: ReplicasOptions = {}): Promise<Replicas> {
  const { count = 3, environment = {}, storageUrl } = options;
  const redis = storageUrl === undefined ? await startRedisServer() : undefined;
  const start = () => startService({ ...environment, STORAGE_URL: storageUrl ?? redis?.url ?? "" });
  const services = await Promise.all(Array.from({ length: count }, start));
  const nginx = await startNginx({ upstreams: services.map(({ baseUrl }) => baseUrl) });
  judgeAnswers(nginx.baseUrl, { behindProxy: true });
  return {
    baseUrl: nginx.baseUrl,
    nginx,
    services,
    get redis() {
      if (redis === undefined) throw new Error("These replicas have a storage of the test's own");
      return redis;
    },
    async add() {
      const service = await start();
      services.push(service);
      await nginx.reload(services.filter(isRunning).map(({ baseUrl }) => baseUrl));
      return service;
    },
    async close() {
      await nginx.close();
      await Promise.all(services.filter(isRunning).map(end));
      await redis?.close();
    },
  };
}

/** Also one that a test has paused. */
function end(service: Service): Promise<number | null> {
  const gone = service.end("SIGTERM");
  service.process.kill("SIGCONT");
  return gone;
}

function isRunning({ process }: Service): boolean {
  return process.exitCode === null && process.signalCode === null;
}
