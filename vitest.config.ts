import { defineConfig } from "vitest/config";

const common = {
  testTimeout: 30_000,
  hookTimeout: 30_000,
  globalSetup: [
    "test/helpers/debian-packages.ts",
    "test/helpers/page-build.ts",
    "test/helpers/provide-api-document.ts",
  ],
  setupFiles: "test/helpers/check-answers.ts",
};

/** The long ones: real processes that are killed, cut off and flooded. `size` says how often. */
function chaos(name: "chaos" | "soak") {
  return { test: { ...common, name, include: ["test/chaos/**/*.test.ts"], provide: { size: name } } };
}

export default defineConfig({
  test: {
    // More than most machines have cores: tests with real processes mostly wait. Four take half the time of two on two cores.
    maxWorkers: 4,
    projects: [
      {
        test: {
          ...common,
          name: "tests",
          include: ["src/**/*.test.ts", "client/**/*.test.ts", "web/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/chaos/**"],
        },
      },
      chaos("chaos"),
      chaos("soak"),
    ],
  },
});
