/** What the document and the contract say must become of a request: derived from what is declared, not from what was seen. */
import type { Operation } from "../helpers/api-description.ts";
import { isAboutOne, type Target, takes, takesUsername } from "./requests.ts";
import type { Principal, World } from "./world.ts";

export type Expectation = "let in" | { readonly status: number; readonly code: string };

export function expectationOf(world: World, operation: Operation, principal: Principal, target: Target): Expectation {
  return (
    refusalOfCredential(operation, principal) ??
    refusalOfUsername(world, operation, principal, target) ??
    refusalOfTarget(operation, principal, target) ??
    "let in"
  );
}

function refusalOfCredential({ security }: Operation, { credential }: Principal): Expectation | undefined {
  // Two readers could take two different ones, so nobody reads either.
  if (credential.kind === "ambiguous") return { status: 400, code: "ambiguous_credentials" };
  if (security.length === 0) return undefined;
  const isOptional = security.some((way) => Object.keys(way).length === 0);
  if (credential.kind === "none") return isOptional ? undefined : { status: 401, code: "unauthenticated" };
  if (credential.kind === "bad") return { status: 401, code: "invalid_credential" };
  const needed = security.flatMap((way) => Object.values(way).flat());
  const { scopes } = credential;
  return needed.every((scope) => scopes.includes(scope)) ? undefined : { status: 403, code: "insufficient_scope" };
}

function refusalOfUsername(
  { usernamesAreOwn, people }: World,
  operation: Operation,
  { credential }: Principal,
  { username }: Target,
): Expectation | undefined {
  if (!usernamesAreOwn || credential.kind !== "good" || !takesUsername(operation)) return undefined;
  return people[credential.of].username === username ? undefined : { status: 403, code: "not_your_user" };
}

function refusalOfTarget(operation: Operation, { credential }: Principal, target: Target): Expectation | undefined {
  if (!isAboutOne(operation)) return undefined;
  const { security } = operation;
  // Where no credential is read, the id of a session is the right to it.
  const isTheirs = security.length === 0 || (credential.kind === "good" && credential.of === target.owner);
  const code = takes(operation, "game_id") ? "game_not_found" : "session_not_found";
  if (target.owner === undefined || !isTheirs) return { status: 404, code };
  return takes(operation, "turn") && !target.hasTurn ? { status: 404, code: "turn_not_found" } : undefined;
}
