/** Requests byte by byte, for what no HTTP client would send. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { keepConnection } from "./judged-services.ts";

export type RawConnection = {
  readonly socket: Socket;
  /** Everything received so far. */
  readonly received: () => string;
  /** Resolves once the connection is over: the error code where it was no clean end. */
  readonly closed: Promise<string | undefined>;
  send(text: string): void;
  /** Waits until a text has been received. @throws Error when the connection ends before */
  waitFor(text: string): Promise<void>;
};

export async function openConnection(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1" });
  let received = "";
  let error: string | undefined;
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    received += String(text);
  });
  socket.on("error", (failure: NodeJS.ErrnoException) => {
    error = failure.code;
  });
  let sent = "";
  const closed = new Promise<string | undefined>((resolve) => {
    socket.on("close", () => keepConnection(port, sent, received).then(() => resolve(error)));
  });
  await once(socket, "connect");
  return {
    socket,
    received: () => received,
    closed,
    send(text) {
      sent += text;
      socket.write(text);
    },
    async waitFor(text) {
      while (!received.includes(text)) {
        if (socket.destroyed) throw new Error(`The connection ended (${error}) after ${received}`);
        await delay(5);
      }
    },
  };
}

/** Sends one request and gives everything that came back until the server closed. */
export async function exchange(port: number, request: string): Promise<string> {
  const connection = await openConnection(port);
  connection.send(request);
  await connection.closed;
  return connection.received();
}

export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (?<status>\d{3})/.exec(response)?.groups?.["status"]);
}
