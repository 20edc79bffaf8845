/**
 * A wiki's `api.php` (https://www.mediawiki.org/wiki/API:Etiquette): one request at a time, `maxlag`, and as much patience
 * as it asks for.
 */
import { z } from "zod";
import { FetchRefused } from "../safe-fetch/refusals.ts";
import type { Fetched, Fetcher } from "../safe-fetch/safe-fetch.ts";
import { mostPatience, pauseSeconds } from "./waiting.ts";

/** How often a busy wiki is waited for, and how often one that fails is asked again. */
const mostBusy = 8;
const mostFailures = 3;

const answerSchema = z.looseObject({
  batchcomplete: z.boolean().optional(),
  continue: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  error: z.looseObject({ code: z.string(), info: z.string().default("") }).optional(),
  query: z.looseObject({}).optional(),
});
export type WikiAnswer = z.infer<typeof answerSchema>;

/** What a wiki says that cannot be helped by waiting. The sentence is for the operator. */
export class WikiError extends Error {
  override readonly name = "WikiError";
}

export type WikiApiOptions = {
  readonly fetcher: Fetcher;
  /** The address of `api.php`. */
  readonly address: string;
  /** Waits for so many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Told before each wait. */
  readonly onWait?: (seconds: number, reason: string) => void;
};

export class WikiApi {
  readonly #options: WikiApiOptions;

  constructor(options: WikiApiOptions) {
    this.#options = options;
  }

  /** @throws WikiError, FetchRefused */
  async query(parameters: Readonly<Record<string, string | number>>): Promise<WikiAnswer> {
    const common = { action: "query", format: "json", formatversion: "2", maxlag: "5" };
    const texts = Object.entries({ ...common, ...parameters }).map(([name, value]): [string, string] => [
      name,
      `${value}`,
    ]);
    const address = `${this.#options.address}?${new URLSearchParams(texts)}`;
    let failures = 0;
    for (let busy = 0; ; ) {
      const fetched = await this.#get(address);
      if (fetched instanceof FetchRefused) {
        failures += 1;
        if (failures > mostFailures) throw fetched;
        await this.#wait(2 ** failures, fetched.message);
        continue;
      }
      const answer = parseAnswer(fetched);
      if (answer !== undefined && answer.error === undefined && fetched.status === 200) return answer;
      const reason = busyReason(fetched, answer);
      if (reason === undefined) throw new WikiError(refusal(fetched, answer));
      const seconds = pauseSeconds(fetched.headers, busy);
      busy += 1;
      if (busy > mostBusy || seconds > mostPatience) {
        throw new WikiError(`${reason} Import again later, with the same words: it goes on where it stands.`);
      }
      await this.#wait(seconds, reason);
    }
  }

  /** What failed on the way may come through another time. */
  async #get(address: string): Promise<Fetched | FetchRefused> {
    try {
      return await this.#options.fetcher.get(address);
    } catch (error) {
      if (error instanceof FetchRefused && (error.code === "fetch_failed" || error.code === "fetch_timeout"))
        return error;
      throw error;
    }
  }

  async #wait(seconds: number, reason: string): Promise<void> {
    this.#options.onWait?.(seconds, reason);
    await this.#options.wait(seconds * 1_000);
  }
}

function parseAnswer({ text }: Fetched): WikiAnswer | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // A page of a proxy, or of something that is no wiki.
    return undefined;
  }
}

/** Why it is worth waiting; `maxlag` comes with status 200. */
function busyReason({ status }: Fetched, answer: WikiAnswer | undefined): string | undefined {
  if (status === 429 || answer?.error?.code === "ratelimited") return "The wiki wants to be asked less often.";
  if (answer?.error?.code === "maxlag") return "The wiki's databases are behind.";
  return status >= 500 ? `The wiki is out of order (${status}).` : undefined;
}

function refusal({ status, url }: Fetched, answer: WikiAnswer | undefined): string {
  if (answer?.error !== undefined) return `The wiki refuses: ${answer.error.code}.`;
  return `${url.origin}${url.pathname} does not answer as a wiki does (${status}).`;
}
