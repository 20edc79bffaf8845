/** The game's tools as the service has them: loaded for the first prompt that they are of use for, as most are of no concern to them. */
import type { ToolSet } from "../chat/tools.ts";
import type { GameStore } from "../storage/game-store.ts";
import { asksForGame } from "./asks-for-game.ts";
import type { TriviaToolsOptions } from "./tools.ts";

export type ToolsWhenPlayedOptions = TriviaToolsOptions & { readonly store: Pick<GameStore, "runningIn"> };

export function triviaToolsWhenPlayed({ store, ...options }: ToolsWhenPlayedOptions): ToolSet {
  return {
    async offer(asked) {
      const { access, sessionId, prompt, done } = asked;
      const mayPlay = done.length > 0 || asksForGame(prompt);
      if (!mayPlay && (await store.runningIn(access, sessionId)) === undefined) return undefined;
      const { triviaTools } = await import("./tools.ts");
      return triviaTools(options).offer(asked);
    },
  };
}
