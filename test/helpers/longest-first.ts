/** In which order the test files begin. */
import path from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Those that take longest, longest first. Without it they come by their size, and a contract's file is a few lines: then one
 * worker is busy with it for a minute and more after the others have nothing left to do.
 */
const longest = [
  "test/contracts/redis.test.ts",
  "test/faults/disk.test.ts",
  "test/faults/shutdown.test.ts",
  "test/upstream.test.ts",
  "test/contracts/sqlite.test.ts",
  "test/faults/redis.test.ts",
  "test/conformance.test.ts",
  "test/faults/redis-leases.test.ts",
  "test/replicas.conformance.test.ts",
  "test/data.test.ts",
  "test/trivia-import.test.ts",
  "test/matrix/matrix.test.ts",
  "test/context.test.ts",
  "test/backups.test.ts",
  "test/keys-command.test.ts",
  "test/page/acts.test.ts",
  "test/page/resilience.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => this.#place(one) - this.#place(other));
  }

  #place({ moduleId }: TestSpecification): number {
    const place = longest.indexOf(path.relative(this.ctx.config.root, moduleId));
    return place < 0 ? longest.length : place;
  }
}
