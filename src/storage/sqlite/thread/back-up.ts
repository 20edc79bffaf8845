/** The entry of a thread that makes one backup and ends. */
import { workerData } from "node:worker_threads";
import { backUpDatabase } from "../copies.ts";

const { path, target } = workerData as { path: string; target: string };
await backUpDatabase(path, target);
