/** What the routes work with. */
import type { Chat } from "../chat/chat.ts";
import type { Prices } from "../chat/usage.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { Limits } from "../limits/limits.ts";
import type { Log } from "../log.ts";
import type { Model } from "../models/model.ts";
import type { Observer } from "../observer.ts";
import type { Storage } from "../storage/storage.ts";
import type { Tracer } from "../tracer.ts";
import type { Games } from "../trivia/games.ts";
import type { OpenTriviaDatabase } from "../trivia/open-trivia-database.ts";
import type { TriviaOverview } from "../trivia/overview.ts";
import type { LiveStreams } from "./answers/live-streams.ts";
import type { HeaderSets } from "./headers.ts";
import type { LoadGauges, Overload } from "./overload.ts";
import type { PageCookie } from "./page-cookie.ts";

export type HttpConfig = {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Host names besides loopback under which clients reach the service: lower case, no ports, no brackets. */
  readonly allowedHosts: readonly string[];
  /** The origin under which people reach the service, as browsers write it; undefined where nobody said. */
  readonly publicUrl: string | undefined;
  /** Whose pages may use the API from a browser, as browsers write them. */
  readonly corsOrigins: readonly string[];
  /** Whether `/docs` is there. */
  readonly docs: boolean;
  /** Opens `/metrics` beyond the machine itself. */
  readonly metricsToken?: string | undefined;
  /** How large a body may be; 256 KiB by default. */
  readonly maxBodyBytes?: number;
  /** How large a prompt may be, in UTF-8; 64 KiB by default. */
  readonly maxPromptBytes?: number;
  /** How long a client that wants the whole answer as JSON is kept waiting. */
  readonly waitMs: number;
  /** After how much silence a stream gets a sign of life. */
  readonly heartbeatMs: number;
  /** What tokens cost; undefined where the operator does not say. */
  readonly prices?: Prices | undefined;
  /** How old an event stream gets, give or take 20 %; 15 minutes unless a test is in a hurry. */
  readonly maxStreamAgeMs?: number;
  /** How often the credential of an open stream is looked at; 60 s unless a test is in a hurry. */
  readonly recheckMs?: number;
  /** How long a reader may take for an answer that is written at once; 60 s unless a test is in a hurry. */
  readonly maxDeliveryMs?: number;
};

export type HttpServiceOptions = {
  readonly config: HttpConfig;
  readonly chat: Chat;
  readonly storage: Storage;
  readonly trivia: { readonly games: Games; readonly overview: TriviaOverview; readonly database: OpenTriviaDatabase };
  readonly authenticator: Authenticator;
  readonly limits: Limits;
  readonly model: Pick<Model, "name" | "condition">;
  /** The built-in demo model answers, no language model; `/readyz` says so. */
  readonly isDemo: boolean;
  readonly log: Log;
  /** What `/metrics` answers. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Is told of requests and streams. */
  readonly observer?: Observer | undefined;
  readonly tracer?: Tracer | undefined;
  /** Where the built page is, unless it is where `npm ci` puts it; for tests. */
  readonly pageDirectory?: URL;
  /** Instead of the process's own, for tests. */
  readonly gauges?: LoadGauges;
  /** The version of the service, for the OpenAPI document. */
  readonly version: string;
};

export type HttpService = HttpServiceOptions & {
  readonly headers: HeaderSets;
  readonly pageCookie: PageCookie;
  readonly streams: LiveStreams;
  readonly overload: Overload;
  /** Set from the signal to end on: `/readyz` says so while prompts are still taken. */
  ending: boolean;
};
