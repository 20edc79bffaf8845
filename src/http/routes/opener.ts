import type { FastifyRequest } from "fastify";
import type { Authenticator } from "../../identity/authenticator.ts";
import { readBearerToken } from "../credentials.ts";

/** Who opens a session: whom the credential names, or somebody new; and the token to answer. */
export function openerOf(request: FastifyRequest, { welcome }: Authenticator): { principal: string; token: string } {
  const token = readBearerToken(request);
  if (request.caller !== undefined && token !== undefined) return { principal: request.caller.principal, token };
  if (welcome === undefined) throw new Error("Nobody opens a session without a credential here");
  const { caller, credential } = welcome();
  return { principal: caller.principal, token: credential };
}
