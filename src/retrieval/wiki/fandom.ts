/** Wikis whose operator does not let programs in unasked. */

const fandomHosts = /(?:^|\.)(?:fandom\.com|wikia\.com|wikia\.org|gamepedia\.com)$/;

export function isFandom(host: string): boolean {
  return fandomHosts.test(host);
}

export const fandomRefusal = [
  "Fandom's terms of use ask for its written permission before a program reads its wikis.",
  "If you have it, say so with --have-permission. If not, there are two other ways:",
  "  Wikipedia, which lets programs in:  --wiki https://en.wikipedia.org --category 'Seinfeld episodes' --show seinfeld",
  "  a dump of the wiki that you may use:  --file dump.xml --licence 'CC BY-SA 3.0' --show seinfeld",
].join("\n");
