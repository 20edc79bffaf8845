/** The matrix as a suite of tests, one for each operation, for a mode of the service and a storage. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ApiDescription, type Document, type Operation } from "../helpers/api-description.ts";
import { faultsOf } from "./matrix.ts";
import type { Stage } from "./stage.ts";
import { type Cast, makeWorld, type World } from "./world.ts";

export type Matrix = {
  readonly world: World;
  /** An operation as the document of this mode describes it. @throws Error where it has none of that name */
  operation(operationId: string): Operation;
};

const operationIds = new ApiDescription(inject("apiDocument")).operations.map(({ operationId }) => operationId);

/** @param more further tests on the same service */
export function matrixSuite(name: string, start: () => Promise<Stage>, more?: (matrix: () => Matrix) => void): void {
  describe(name, () => {
    let stage: Stage;
    let matrix: Matrix;

    beforeAll(async () => {
      stage = await start();
      matrix = await readMatrix(stage.cast);
    });

    afterAll(() => stage.close());

    test.each(operationIds)("P10, B8: %s", async (operationId) => {
      expect(await faultsOf(matrix.world, matrix.operation(operationId))).toEqual([]);
    });

    more?.(() => matrix);
  });
}

async function readMatrix(cast: Cast): Promise<Matrix> {
  const document = (await (await fetch(`${cast.baseUrl}/openapi.json`)).json()) as Document;
  const { operations } = new ApiDescription(document);
  return {
    world: await makeWorld(cast),
    operation(operationId) {
      const found = operations.find((operation) => operation.operationId === operationId);
      if (found === undefined) throw new Error(`The document of this mode has no ${operationId}`);
      return found;
    },
  };
}
