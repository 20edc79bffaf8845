/**
 * A TCP proxy that a test can make fail as networks do: it cuts connections, falls silent, holds back, drips. It knows
 * nothing of what it carries.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { SeededRandom } from "./seeded-random.ts";

/**
 * How a connection is cut: by a reset, after which the client may not even see what had reached it; or by a mere end,
 * which looks like the proper one.
 */
export type CutKind = "reset" | "end";

/** What happens to one connection; nothing by default. Byte counts are of what goes to the client. */
export type ConnectionPlan = {
  /** Cuts once so many bytes have been sent to the client, 0 at once. After them nothing is sent any more. */
  readonly cutAfterBytes?: number | undefined;
  /** `end` by default. */
  readonly cutKind?: CutKind | undefined;
  /** From so many bytes on nothing goes either way, and nobody is told: the connection is half-open. */
  readonly stallAfterBytes?: number | undefined;
  /** Holds back all that goes either way for so long, in ms. */
  readonly delayMs?: number | undefined;
  /** Lets no more than this through to the client, in drops of a twentieth of it. */
  readonly bytesPerSecond?: number | undefined;
};

export type TcpProxy = {
  readonly port: number;
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** How many connections there have been, and how many there are. */
  readonly connectionCount: number;
  readonly openCount: number;
  /** Bytes that were sent to clients, of all connections. */
  readonly sentBytes: number;
  /** Plans for the connections from now on, by their number, 0 for the next one; those that are open keep theirs. */
  plan(planOf: (index: number) => ConnectionPlan): void;
  /** Cuts all connections that are open, and gives how many there were. */
  cut(kind: CutKind): number;
  /** Stops forwarding, either way, on all connections, new ones too: they are accepted, and nothing happens. */
  stall(): void;
  /** Takes back `stall`; what has waited goes on. Connections that their plan has stalled stay so. */
  resume(): void;
  /** Resets new connections at once (true), or takes them again. */
  refuse(refused: boolean): void;
  /** Where new connections go from now on, such as to a service that was started again on another port. */
  target(port: number): void;
  close(): Promise<void>;
};

/** Forwards to a port of this machine, from a free one. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const links = new Set<Link>();
  const counts = { connections: 0, sentBytes: 0 };
  const gate = new Gate();
  let planOf: (index: number) => ConnectionPlan = () => ({});
  let planned = 0;
  let refused = false;
  let port = targetPort;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    counts.connections += 1;
    client.on("error", () => {});
    if (refused) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const link = new Link(client, upstream, planOf(planned), gate, (bytes) => {
      counts.sentBytes += bytes;
    });
    planned += 1;
    links.add(link);
    void link.closed.then(() => links.delete(link));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ownPort = (server.address() as AddressInfo).port;

  return {
    port: ownPort,
    url: `http://127.0.0.1:${ownPort}`,
    get connectionCount() {
      return counts.connections;
    },
    get openCount() {
      return links.size;
    },
    get sentBytes() {
      return counts.sentBytes;
    },
    plan(next) {
      planOf = next;
      planned = 0;
    },
    cut(kind) {
      const open = [...links];
      for (const link of open) link.cut(kind);
      return open.length;
    },
    stall: () => gate.shut(),
    resume: () => gate.open(),
    refuse(value) {
      refused = value;
    },
    target(newPort) {
      port = newPort;
    },
    async close() {
      server.close();
      for (const link of links) link.cut("reset");
      await Promise.all([...links].map((link) => link.closed));
    },
  };
}

/**
 * A plan as a bad network makes one: about one connection in eight gets through untouched, others are cut or fall
 * silent within so many bytes, some drip or lag besides. Stalls only happen where the client's patience is short.
 */
export function randomPlan(
  random: SeededRandom,
  options: { readonly withinBytes: number; readonly stalls?: boolean },
): ConnectionPlan {
  const slowness = random.pick<ConnectionPlan>([
    {},
    {},
    { delayMs: random.between(1, 20) },
    { bytesPerSecond: random.between(20_000, 200_000) },
  ]);
  const place = random.between(0, options.withinBytes);
  if (random.next() < 0.125) return slowness;
  if (options.stalls === true && random.next() < 0.1) return { ...slowness, stallAfterBytes: place };
  return { ...slowness, cutAfterBytes: place, cutKind: random.pick(["reset", "end"]) };
}

/** Lets everybody through or nobody. */
class Gate {
  #opened: PromiseWithResolvers<void> | undefined;

  shut(): void {
    this.#opened ??= Promise.withResolvers();
  }

  open(): void {
    this.#opened?.resolve();
    this.#opened = undefined;
  }

  get passage(): Promise<void> | undefined {
    return this.#opened?.promise;
  }
}

/** One connection of a client, and ours to the target for it. */
class Link {
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #plan: ConnectionPlan;
  readonly #gate: Gate;
  readonly #onSent: (bytes: number) => void;
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  #sentBytes = 0;
  #isCut = false;

  constructor(client: Socket, upstream: Socket, plan: ConnectionPlan, gate: Gate, onSent: (bytes: number) => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#plan = plan;
    this.#gate = gate;
    this.#onSent = onSent;
    for (const socket of [client, upstream]) socket.on("error", () => {});
    const closings = [client, upstream].map((socket) => new Promise((resolve) => socket.on("close", resolve)));
    this.closed = Promise.all(closings).then(() => this.#wakeAll());
    // Whoever is gone takes the other one along, also while nothing is being forwarded to notice it.
    client.on("close", () => this.#letGo(upstream));
    upstream.on("close", () => this.#letGo(client));
    if (plan.cutAfterBytes === 0) {
      this.cut(plan.cutKind ?? "end");
      return;
    }
    void this.#forward(client, upstream, async (piece) => void (await write(upstream, piece)));
    void this.#forward(upstream, client, (piece) => this.#send(piece));
  }

  cut(kind: CutKind): void {
    if (this.#isCut) return;
    this.#isCut = true;
    if (kind === "reset") this.#client.resetAndDestroy();
    else this.#client.destroySoon();
    this.#upstream.resetAndDestroy();
    this.#wakeAll();
  }

  async #forward(from: Socket, to: Socket, take: (piece: Buffer) => Promise<void>): Promise<void> {
    try {
      for await (const piece of from) {
        if (this.#plan.delayMs !== undefined) await this.#sleep(this.#plan.delayMs);
        await this.#passage();
        if (this.#isCut) return;
        await take(piece as Buffer);
      }
      await this.#passage();
      to.end();
    } catch {
      // A reset is passed on as one.
      if (!this.#isCut) to.resetAndDestroy();
    }
  }

  /** To the client, as the plan wants it. */
  async #send(piece: Buffer): Promise<void> {
    const { cutAfterBytes = Number.POSITIVE_INFINITY, stallAfterBytes = Number.POSITIVE_INFINITY } = this.#plan;
    const { bytesPerSecond } = this.#plan;
    const dropBytes = bytesPerSecond === undefined ? piece.length : Math.max(1, Math.ceil(bytesPerSecond / 20));
    for (let start = 0; start < piece.length && !this.#isCut; ) {
      await this.#passage();
      const roomBytes = Math.min(cutAfterBytes, stallAfterBytes) - this.#sentBytes;
      const drop = piece.subarray(start, start + Math.min(dropBytes, roomBytes));
      await write(this.#client, drop);
      start += drop.length;
      this.#sentBytes += drop.length;
      this.#onSent(drop.length);
      if (this.#sentBytes >= cutAfterBytes) this.cut(this.#plan.cutKind ?? "end");
      else if (bytesPerSecond !== undefined && !this.#isStalled) await this.#sleep(50);
    }
  }

  get #isStalled(): boolean {
    return this.#sentBytes >= (this.#plan.stallAfterBytes ?? Number.POSITIVE_INFINITY);
  }

  /** Waits while nothing may go through; where the plan has stalled this connection, until it is over. */
  async #passage(): Promise<void> {
    if (this.#isStalled) await Promise.race([this.closed, this.#sleep(2 ** 31 - 1)]);
    for (let passage = this.#gate.passage; passage !== undefined; passage = this.#gate.passage) {
      await Promise.race([passage, this.closed]);
      if (this.#client.destroyed) return;
    }
  }

  #letGo(other: Socket): void {
    if (other.destroyed || this.#isCut) return;
    // What was sent before a proper end may still have to leave.
    if (other.writableEnded) other.destroySoon();
    else other.resetAndDestroy();
    this.#wakeAll();
  }

  #sleep(milliseconds: number): Promise<void> {
    if (this.#isCut) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#timers.delete(timer);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#timers.set(timer, wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#timers.values()]) wake();
  }
}

/** Writes, and waits until the socket has taken it. @throws when the socket is gone */
function write(socket: Socket, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}
