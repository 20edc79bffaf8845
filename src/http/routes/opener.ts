import type { FastifyReply, FastifyRequest } from "fastify";
import type { HttpService } from "../service.ts";

/** Of the answer to it, for the OpenAPI document. */
export const openerHeaders = {
  "set-cookie": { type: "string", description: "Only for the page: its cookie, instead of the `token`" },
} as const;

/**
 * Who opens a session: whom the credential names, or somebody new; and the token to answer to a guest. Where the page has
 * it as its cookie, or gets it so, it is not answered: script could take it away.
 */
export function openerOf(
  { caller, credential, source }: FastifyRequest,
  reply: FastifyReply,
  { authenticator: { welcome }, pageCookie }: HttpService,
): { principal: string; token: string | undefined } {
  const keepInCookie = (token: string) => void reply.header("set-cookie", pageCookie.keep(token));
  if (caller !== undefined && credential !== undefined) {
    const { principal } = caller;
    // Others than guests brought what they have from elsewhere.
    if (caller.kind !== "guest") return { principal, token: undefined };
    if (credential.from === "header") return { principal, token: credential.token };
    keepInCookie(credential.token);
    return { principal, token: undefined };
  }
  if (welcome === undefined) throw new Error("Nobody opens a session without a credential here");
  const newcomer = welcome();
  const { principal } = newcomer.caller;
  if (source !== "page") return { principal, token: newcomer.credential };
  keepInCookie(newcomer.credential);
  return { principal, token: undefined };
}
