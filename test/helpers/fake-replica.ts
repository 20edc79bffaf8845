/** Stands where a replica of the service would, and answers as a test wants it. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type FakeReplica = {
  readonly baseUrl: string;
  /** Every request so far, such as `PUT /chat/1`, once its body has been read. */
  readonly requests: readonly string[];
  close(): Promise<void>;
};

/** @param answer called once a request has been read to its end */
export async function startFakeReplica(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<FakeReplica> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      requests.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
