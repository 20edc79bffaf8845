/** How often the long tests do what they do: some minutes of it in `npm run test:chaos`, hours in `npm run test:soak`. */
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    size: "chaos" | "soak";
  }
}

const sizes = {
  chaos: {
    killCycles: 50,
    cutStreams: 2_000,
    stops: 1_000,
    sends: 5_000,
    requests: 20_000,
    connections: 2_000,
    rollingRestarts: 20,
    liveStreams: 100,
    replicaKills: 2,
    failovers: 1,
    migrationKills: 40,
    backups: 15,
    powerFailures: 40,
    jumpsWaitForLimits: false,
  },
  // The numbers of the project's acceptance list.
  soak: {
    killCycles: 500,
    cutStreams: 20_000,
    stops: 2_000,
    sends: 10_000,
    requests: 200_000,
    connections: 20_000,
    rollingRestarts: 100,
    liveStreams: 200,
    replicaKills: 40,
    failovers: 100,
    migrationKills: 100,
    backups: 50,
    powerFailures: 1_000,
    jumpsWaitForLimits: true,
  },
} as const;

export const size = sizes[inject("size")];
