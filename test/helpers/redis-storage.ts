/** A Redis server for each test, and storages on it as its replicas would have them. */
import { afterEach, beforeEach } from "vitest";
import type { LeaseTimes } from "../../src/storage/redis/leases.ts";
import { openRedisStorage, type RedisOptions } from "../../src/storage/redis/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";

export const never = 2 ** 30;

/** Of a replica that does nothing by itself. */
export const idle: LeaseTimes = { lease: 10_000, renewal: never, sweep: never };

export type SharedRedis = {
  readonly server: RedisServer;
  /** One more replica's; it is closed after the test. */
  open(options?: Partial<RedisOptions>): Promise<Storage>;
  /** The URL for one that may read and write everything and hears nothing. */
  deafUrl(): Promise<string>;
  /** To be called after the test, the last one first. */
  onClose(close: () => unknown): void;
};

/** @param leaseTimes of the replicas, where they ask for no others */
export function useRedis(leaseTimes: LeaseTimes): SharedRedis {
  let server: RedisServer;
  const closers: (() => unknown)[] = [];
  const onClose = (close: () => unknown) => void closers.push(close);
  beforeEach(async () => {
    server = await startRedisServer();
    onClose(() => server.close());
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  return {
    get server() {
      return server;
    },
    async open(options = {}) {
      const storage = await openRedisStorage({
        url: server.url,
        leaseTimes,
        onFatal: (error) => {
          throw error;
        },
        ...options,
      });
      onClose(() => storage.close());
      return storage;
    },
    async deafUrl() {
      await server.command("ACL", "SETUSER", "deaf", "on", ">word", "~*", "resetchannels", "+@all");
      return server.url.replace("redis://", "redis://deaf:word@");
    },
    onClose,
  };
}
