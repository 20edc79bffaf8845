/** `POST /logout`: the page's way to stop being the guest that it was. */
import { noContent, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

const headers = {
  "set-cookie": { type: "string", description: "Removes the page's cookie", required: true },
  "clear-site-data": { type: "string", description: "What the browser should forget", required: true },
} as const;

export function logOut({ pageCookie }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "logOut",
      summary: "Have the browser forget the guest",
      description:
        "For the page, whose script cannot see its cookie: removes the cookie, and whatever else the browser keeps for this service. The guest's sessions stay, but nobody can list them any more. A token that a program holds stays valid.",
      tags: ["sessions"],
      response: responses({ 204: noContent("The browser has forgotten who it was.", headers) }, problems.ofPages),
    },
    async handle(_request, reply) {
      // Not "cookies", which would take those of every other service under the same domain too.
      return reply
        .code(204)
        .headers({ "set-cookie": pageCookie.forget(), "clear-site-data": '"cache", "storage"' })
        .send();
    },
  });
}
