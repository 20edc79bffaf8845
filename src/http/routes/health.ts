/** For whoever watches the service: is it alive, can it serve? */
import { z } from "zod";
import { authenticationModes } from "../../identity/authenticator.ts";
import { isProblem, Problem } from "../../protocol/problems.ts";
import { json, responses } from "../openapi/responses.ts";
import { sendProblem } from "../problem-reply.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

export function getHealth(): Operation {
  return operation({
    schema: {
      operationId: "healthz",
      summary: "Is the process alive?",
      description: "Answers without looking at anything else, so it answers under any load.",
      tags: ["operation"],
      response: responses({ 200: json("The process is alive.", z.object({ status: z.literal("ok") })) }, []),
    },
    handle: async () => ({ status: "ok" }),
  });
}

/** How long one check is good for, so that nobody can keep the disk busy by asking. */
const checkLifetimeMs = 1_000;

/** A storage that takes longer to answer than this is of no use. */
const maxCheckMs = 2_000;

const readinessSchema = z
  .object({
    status: z.literal("ready"),
    load: z
      .object({
        status: z.enum(["ok", "overloaded"]),
        reasons: z.array(z.enum(["event_loop", "memory", "descriptors", "storage"])),
      })
      .describe(
        "`overloaded`: new prompts and sessions are refused for a moment. Ready all the same, as following, stopping and reading work, and because the clients of a service that is taken away would overload the next one",
      ),
    dependencies: z.object({
      storage: z.object({
        status: z.literal("ok"),
        kind: z.enum(["sqlite", "redis"]),
        durability: z
          .enum(["memory", "disk", "async", "replica", "unknown"])
          .describe(
            "When a prompt counts as stored: once it is in memory, on a disk, with the Redis server alone (`async`) or with a replica of it too. `unknown`: the server does not tell whether it keeps anything",
          ),
      }),
      model: z.object({
        status: z
          .enum(["configured", "degraded", "open"])
          .describe(
            "The model server is not asked for its health. `open`: it kept failing and is left alone, so prompts are refused for a moment. `degraded`: it is being tried again, or only the fallback answers. Reading works all the while",
          ),
        name: z.string(),
        demo: z
          .boolean()
          .describe("True when the built-in demo model answers, because no language model is configured"),
      }),
      identity: z.object({
        mode: z
          .enum(authenticationModes)
          .describe("Who is let in (`AUTH`), so that a page can ask for the right credential"),
      }),
    }),
  })
  .meta({ id: "Readiness" });

export function getReadiness(service: HttpService): Operation {
  let checked: { readonly at: number; readonly failure: Promise<Problem | undefined> } | undefined;

  function checkStorage(): Promise<Problem | undefined> {
    if (checked === undefined || performance.now() - checked.at > checkLifetimeMs) {
      checked = { at: performance.now(), failure: findFailure(service) };
    }
    return checked.failure;
  }

  return operation({
    schema: {
      operationId: "readyz",
      summary: "Can the service take new turns?",
      description: "A 503 names each dependency under `dependencies`, as a 200 does.",
      tags: ["operation"],
      response: responses({ 200: json("The service takes new turns.", readinessSchema) }, [
        "draining",
        "storage_unavailable",
      ]),
    },
    async handle(_request, reply) {
      const failure = await checkStorage();
      const dependencies = {
        storage: { status: failure === undefined ? "ok" : "failing", ...service.storage.facts() },
        model: { status: service.model.condition, name: service.model.name, demo: service.isDemo },
        identity: { mode: service.authenticator.mode },
      };
      if (service.ending || service.chat.draining) {
        const draining = new Problem("draining", "The service is shutting down.", { retryAfterSeconds: 1 });
        return sendProblem(reply, draining, { dependencies });
      }
      if (failure !== undefined) return sendProblem(reply, failure, { dependencies });
      const { reasons } = service.overload;
      return { status: "ready", load: { status: reasons.length === 0 ? "ok" : "overloaded", reasons }, dependencies };
    },
  });
}

async function findFailure({ storage, log }: HttpService): Promise<Problem | undefined> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error("The check took too long")), maxCheckMs);
  try {
    await Promise.race([storage.check(), timeout.promise]);
    return undefined;
  } catch (error) {
    log.warn({ err: error }, "The storage failed a check");
    const detail = "The storage does not work right now.";
    // Any fault of the storage is one status here: not ready.
    return new Problem("storage_unavailable", detail, { cause: isProblem(error) ? error.cause : error });
  } finally {
    clearTimeout(timer);
  }
}
