/** Whether tools are offered for a turn, and what was done for it already. */
import type { ToolUsed } from "../protocol/events.ts";
import { isProblem } from "../protocol/problems.ts";
import type { BegunTurn, TurnStore } from "../storage/storage.ts";
import { type Inherited, ToolRounds } from "./tool-rounds.ts";
import type { ToolWatchers } from "./tool-run.ts";
import type { ToolSet } from "./tools.ts";

export type OfferSources = ToolWatchers & {
  readonly turns: Pick<TurnStore, "read">;
  readonly tools?: ToolSet | undefined;
};

const nothing: Inherited = { tools: [], sources: [] };

/**
 * Undefined where none are offered. What a prompt did, it did: asked again in another turn, it is answered from that, and
 * an answer that is only gone on with does nothing.
 *
 * @param logged what the turn's log says was done for it
 * @throws Problem as the storage and the tools do
 */
export async function roundsFor(
  { turns, tools, log, observer }: OfferSources,
  { lease, owner, username, prompt, continues, replaces }: BegunTurn,
  { published, logged }: { readonly published: string; readonly logged: readonly ToolUsed[] },
): Promise<ToolRounds | undefined> {
  if (tools === undefined || continues !== null || published !== "") return undefined;
  const access = { by: "owner", principal: owner } as const;
  const { sessionId, turn } = lease;
  const before = replaces === null ? undefined : await doneIn(turns, access, sessionId, replaces);
  const isSame = before?.prompt === prompt;
  const inherited = isSame ? before.without(logged) : nothing;
  const facts = { access, sessionId, principal: owner, username };
  const offer = await tools.offer({
    ...facts,
    prompt,
    done: [...logged, ...inherited.tools],
    replaced: isSame ? [] : (before?.tools ?? []),
  });
  if (offer === undefined) return undefined;
  return new ToolRounds({ offer, facts: { ...facts, turn }, prompt, logged, inherited, log, observer });
}

async function doneIn(
  turns: Pick<TurnStore, "read">,
  access: Parameters<TurnStore["read"]>[0],
  sessionId: string,
  turn: number,
) {
  try {
    const { prompt, tools, sources } = await turns.read(access, sessionId, turn);
    const without = (logged: readonly ToolUsed[]): Inherited => {
      const known = new Set(logged.map(({ call_id }) => call_id));
      const left = tools.filter(({ call_id }) => !known.has(call_id));
      return left.length === 0 ? nothing : { tools: left, sources };
    };
    return { prompt, tools, without };
  } catch (error) {
    if (isProblem(error, "turn_not_found")) return undefined;
    throw error;
  }
}
