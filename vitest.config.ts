import { defineConfig } from "vitest/config";

const common = { testTimeout: 30_000, hookTimeout: 30_000, globalSetup: "test/helpers/debian-packages.ts" };

/** The long ones: real processes that are killed, cut off and flooded. `size` says how often. */
function chaos(name: "chaos" | "soak") {
  return { test: { ...common, name, include: ["test/chaos/**/*.test.ts"], provide: { size: name } } };
}

export default defineConfig({
  test: {
    // Two cores: more files at once would only make the tests with real processes wait for each other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: "tests",
          include: ["src/**/*.test.ts", "client/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/chaos/**"],
        },
      },
      chaos("chaos"),
      chaos("soak"),
    ],
  },
});
