import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { HttpConfig } from "./service.ts";

/**
 * Starts listening and gives the URL of the service.
 *
 * @throws Error with a sentence for the operator that names the setting to change
 */
export async function listen(app: FastifyInstance, { host, port }: HttpConfig): Promise<string> {
  try {
    // By the name Fastify would open a second server for IPv6, without our settings.
    await app.listen({ host: host === "localhost" ? "127.0.0.1" : host, port });
  } catch (error) {
    throw new Error(sentenceFor((error as NodeJS.ErrnoException).code, host, port), { cause: error });
  }
  const { port: actualPort } = app.server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}`;
}

function sentenceFor(code: string | undefined, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} of ${host} is in use by another program; stop that, or choose another PORT.`;
    case "EACCES":
      return `Port ${port} may not be used by this user; choose a PORT above 1023.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `HOST ${host} is no address of this machine; 127.0.0.1 is for this machine alone, 0.0.0.0 for every network.`;
    default:
      return `The service cannot listen on ${host}, port ${port} (${code}); check HOST and PORT.`;
  }
}
