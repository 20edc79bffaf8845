/** `POST /login`: has a browser keep, for the page, the credential that somebody typed there. */
import { loginSchema } from "../../protocol/login.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

const headers = {
  "set-cookie": { type: "string", description: "Only for the page: the cookie that holds the credential" },
} as const;

export function logIn({ pageCookie }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "logIn",
      summary: "Have the browser keep a credential",
      description:
        "For the page, whose script should not hold a credential: returns the credential of the `Authorization` header as a cookie that scripts cannot read, for as long as it is valid. Programs learn whose credential they have.",
      tags: ["sessions"],
      response: responses({ 200: json("The credential is valid.", loginSchema, headers) }, [
        ...problems.ofCredentials,
        ...problems.ofPages,
        "credential_too_long",
      ]),
    },
    async handle({ caller, credential, source }, reply) {
      if (caller === undefined || credential === undefined) throw new Error("Nobody gets here without a credential");
      const { username, validForMs } = caller;
      if (source === "page") reply.header("set-cookie", pageCookie.keep(credential.token, validForMs));
      return {
        username: username ?? null,
        valid_for: validForMs === undefined ? null : Math.floor(validForMs / 1_000),
      };
    },
  });
}
