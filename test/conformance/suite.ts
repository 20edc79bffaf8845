/**
 * The black-box suite: what `wire.md` promises, asked of a running service. It needs only a base URL, so the same tests
 * prove the development server, several replicas behind a proxy, and the image. It works with any model that answers;
 * the tests that stop or leave an answer in its middle ask for a story, which has to take a second or more.
 */
import { describe } from "vitest";
import { askingConformance } from "./asking.ts";
import { badInputConformance } from "./bad-input.ts";
import { historyConformance } from "./history.ts";
import { openTriviaConformance } from "./open-trivia.ts";
import { overlapConformance } from "./overlap.ts";
import { resumingConformance } from "./resuming.ts";
import { searchConformance } from "./search.ts";
import { secondThoughtsConformance } from "./second-thoughts.ts";
import { sendingOnceConformance } from "./sending-once.ts";
import { serviceConformance } from "./service.ts";
import { sessionConformance } from "./sessions.ts";
import { stoppingConformance } from "./stopping.ts";
import { titleConformance } from "./titles.ts";
import { toolConformance } from "./tools.ts";
import { triviaConformance } from "./trivia.ts";
import { usageConformance } from "./usage.ts";

export type BaseUrl = () => string;

/** What the suite asks for where it needs an answer that takes a while. */
export const longPrompt = "Tell me a story, please, of at least three hundred words.";

export type SuiteOptions = {
  /** Whether a proxy stands before the service, or may: then it may answer some nonsense itself. */
  readonly behindProxy: boolean;
  /** Whether messages can be searched, as they can where they are stored in SQLite. */
  readonly searches: boolean;
};

export function conformanceSuite(name: string, baseUrl: BaseUrl, options: SuiteOptions): void {
  describe(name, () => {
    sessionConformance(baseUrl);
    askingConformance(baseUrl);
    sendingOnceConformance(baseUrl);
    overlapConformance(baseUrl);
    secondThoughtsConformance(baseUrl);
    resumingConformance(baseUrl);
    stoppingConformance(baseUrl);
    historyConformance(baseUrl);
    searchConformance(baseUrl, options);
    titleConformance(baseUrl);
    usageConformance(baseUrl);
    toolConformance(baseUrl);
    triviaConformance(baseUrl);
    openTriviaConformance(baseUrl);
    badInputConformance(baseUrl, options);
    serviceConformance(baseUrl);
  });
}
