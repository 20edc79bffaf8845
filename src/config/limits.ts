/** The limits, from their variables. */
import { isLoopback } from "./loopback.ts";
import type { Settings } from "./variables.ts";

/** Undefined where there is no such limit. */
export type LimitsConfig = {
  readonly proxyHops: number;
  readonly requestsPerMinute: number | undefined;
  readonly addressRequestsPerMinute: number | undefined;
  readonly notFoundPerMinute: number | undefined;
  readonly failedCredentialsPerMinute: number | undefined;
  readonly streamsAtOnce: number | undefined;
  readonly addressStreamsAtOnce: number | undefined;
  readonly turns: {
    readonly atOnce: number | undefined;
    readonly dailyTokens: number | undefined;
    readonly guestDailyTokens: number | undefined;
  };
};

const defaultGuestDailyTokens = 200_000;

export function limitsConfig(settings: Settings, isDemo: boolean): LimitsConfig {
  return {
    proxyHops: settings.TRUSTED_PROXY_HOPS,
    requestsPerMinute: limit(settings.REQUESTS_PER_MINUTE),
    addressRequestsPerMinute: limit(settings.ADDRESS_REQUESTS_PER_MINUTE),
    notFoundPerMinute: limit(settings.NOT_FOUND_PER_MINUTE),
    failedCredentialsPerMinute: limit(settings.FAILED_CREDENTIALS_PER_MINUTE),
    streamsAtOnce: limit(settings.STREAMS_AT_ONCE),
    addressStreamsAtOnce: limit(settings.ADDRESS_STREAMS_AT_ONCE),
    turns: {
      atOnce: limit(settings.TURNS_AT_ONCE),
      dailyTokens: limit(settings.DAILY_TOKENS),
      guestDailyTokens: limit(settings.GUEST_DAILY_TOKENS ?? guestBudget(settings, isDemo)),
    },
  };
}

/** Where strangers reach a model that costs something. */
function guestBudget({ HOST: host }: Settings, isDemo: boolean): number | undefined {
  return isDemo || isLoopback(host) ? undefined : defaultGuestDailyTokens;
}

function limit(setting: number | undefined): number | undefined {
  return setting === 0 ? undefined : setting;
}
