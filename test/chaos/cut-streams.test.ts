/** P5: resuming has no gap and no duplicate. */
import { expect, test } from "vitest";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { converseOverBadNetworks, seededAnswers } from "../helpers/lossy-runs.ts";
import { seedOfRun } from "../helpers/seeded-random.ts";
import { startService } from "../helpers/service.ts";
import { size } from "./sizes.ts";

const seed = seedOfRun();

test(`P5, C1, C5: ${size.cutStreams} answers over networks that cut, stall, lag and drip at random: what each client was told is what is stored (SEED=${seed})`, {
  timeout: 60 * 60_000,
}, async () => {
  const provider = await startFakeProvider({ record: false });
  provider.model("seeded", seededAnswers);
  const service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "seeded" });
  const runs = size.cutStreams;
  const { connections } = await converseOverBadNetworks({ baseUrl: service.baseUrl, runs, runsAtOnce: 40, seed });
  // The networks must have been bad, or nothing has been proven.
  expect(connections).toBeGreaterThan(2 * runs);
  expect(await service.end("SIGTERM")).toBe(0);
  await provider.close();
});
