/** The entry of the thread that reads a knowledge file, so that no search holds up the event loop. */
import { parentPort, workerData } from "node:worker_threads";
import type { Question, Reply, ThreadData } from "./messages.ts";
import { readOperations } from "./reading.ts";

function serve({ path }: ThreadData, port: NonNullable<typeof parentPort>): void {
  const operations = readOperations(path);
  const reply = (message: Reply) => port.postMessage(message);
  port.on("message", (question: Question | "close") => {
    if (question === "close") {
      operations.close();
      return port.close();
    }
    const { id, name, argument } = question;
    try {
      reply({ id, value: operations[name](argument as never) });
    } catch (error) {
      reply({ id, failure: error instanceof Error ? error.message : String(error) });
    }
  });
}

if (parentPort !== null) serve(workerData as ThreadData, parentPort);
