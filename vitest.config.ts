import path from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/helpers/longest-first.ts";

// The threads of a storage and the processes of a service load the same files thousands of times: half of what that costs is
// compiling them. Node looks at this when a process or thread starts, so it has to be set before the first one does.
process.env["NODE_COMPILE_CACHE"] ??= path.join(import.meta.dirname, "node_modules/.cache/compiled");

const common = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  globalSetup: [
    "test/helpers/debian-packages.ts",
    "test/helpers/page-build.ts",
    "test/helpers/provide-api-document.ts",
  ],
  setupFiles: "test/helpers/check-answers.ts",
};

/** The long ones: real processes that are killed, cut off and flooded. `size` says how often. */
function chaos(name: "chaos" | "soak") {
  const include = ["test/chaos/**/*.test.ts"];
  return { test: { ...common, name, include, provide: { size: name }, maxWorkers: 1, sequence: { groupOrder: 2 } } };
}

/** A browser takes a core for itself, so nothing but a second one runs beside those that have one. */
const inBrowsers = ["test/page/**/*.test.ts", "test/browser-safety.test.ts"];

/** What measures a browser has the machine for itself. */
const measuring = "test/page/speed.test.ts";

/** More than most machines have cores: tests with real processes mostly wait. */
const maxWorkers = 4;

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          name: "units",
          include: ["src/**/*.test.ts", "client/**/*.test.ts", "web/src/**/*.test.ts"],
          // Loading what they test is a third of what they cost, so a process is not for one file alone.
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "tests",
          include: ["test/**/*.test.ts"],
          exclude: ["test/chaos/**", "test/faults/**", ...inBrowsers],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "browser",
          include: inBrowsers,
          exclude: [measuring],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...common, name: "speed", include: [measuring], maxWorkers: 1, sequence: { groupOrder: 3 } } },
      chaos("chaos"),
      chaos("soak"),
    ],
  },
});
