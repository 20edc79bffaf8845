/** The starter pack: a file for each show, which comes with the service. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { type ShowPack, showPackSchema } from "./facts.ts";

/** Where the repository has it, and the image. */
export const starterPackFolder = fileURLToPath(new URL("../../knowledge/sitcoms/", import.meta.url));

/**
 * Reads every show of a folder, by name, and looks at all that the rest relies on.
 *
 * @throws Error that names the file, and the field where one is to blame
 */
export async function readStarterPack(folder: string = starterPackFolder): Promise<readonly ShowPack[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  if (names.length === 0) throw new Error(`${folder} holds no show`);
  const packs: ShowPack[] = [];
  // One after the other: a show takes a few milliseconds to check, and answers go on between two of them.
  for (const name of names) packs.push(await readShow(path.join(folder, name)));
  refuseFactsThatAreThereTwice(packs);
  return packs;
}

async function readShow(file: string): Promise<ShowPack> {
  const content = await readFile(file, "utf8");
  const result = showPackSchema.safeParse(parse(file, content));
  if (!result.success) throw new Error(`${file}: ${inWords(result.error)}`, { cause: result.error });
  const pack = result.data;
  const stranger = pack.facts.findIndex(({ show }) => show !== pack.show.id);
  if (stranger >= 0) throw new Error(`${file}: facts.${stranger}.show must be ${pack.show.id}, as show.id`);
  if (path.basename(file) !== `${pack.show.id}.json`) throw new Error(`${file}: its name must be ${pack.show.id}.json`);
  return pack;
}

function parse(file: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new Error(`${file} is not JSON`, { cause: error });
  }
}

function inWords({ issues }: z.ZodError): string {
  const [first] = issues;
  return first === undefined ? "is not valid" : `${first.path.map(String).join(".") || "it"}: ${first.message}`;
}

/** A player is never asked the same fact twice, and facts are known by their ids. */
function refuseFactsThatAreThereTwice(packs: readonly ShowPack[]): void {
  const seen = new Set<string>();
  for (const { id, show } of packs.flatMap(({ facts }) => facts)) {
    if (seen.has(id)) throw new Error(`The fact ${id} of ${show} is there twice`);
    seen.add(id);
  }
}
