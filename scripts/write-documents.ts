/** Writes the generated documents: `npm run docs`. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { generatedDocuments } from "./documents.ts";

const repository = path.join(import.meta.dirname, "..");
for (const [name, content] of generatedDocuments()) {
  writeFileSync(path.join(repository, name), content);
  console.log(`Wrote ${name}`);
}
