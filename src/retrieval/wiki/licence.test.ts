import { describe, expect, it } from "vitest";
import { isFandom } from "./fandom.ts";
import { licenceName } from "./licence.ts";
import { linkMaker, pageOfLink } from "./links.ts";

describe("a wiki's licence", () => {
  it.each([
    [{ url: "https://creativecommons.org/licenses/by-sa/4.0/deed.en", text: "Creative Commons" }, "CC BY-SA 4.0"],
    [{ url: "http://creativecommons.org/licenses/by-nc-sa/3.0/", text: "" }, "CC BY-NC-SA 3.0"],
    [{ url: "https://creativecommons.org/publicdomain/zero/1.0/", text: "CC0" }, "CC0 1.0"],
    [{ url: "https://www.fandom.com/licensing", text: "CC-BY-SA" }, "CC-BY-SA"],
    [{ url: "https://wiki.example/terms", text: "" }, "https://wiki.example/terms"],
    [{ url: " ", text: "" }, undefined],
  ])("%j is shown as %s", (rights, name) => {
    expect(licenceName(rights)).toBe(name);
  });
});

describe("a link to a page", () => {
  it("comes back from what is shown, with its revision", () => {
    for (const path of ["/wiki/$1", "/index.php?title=$1", "/$1"]) {
      for (const title of ["Otto Brand", "Björk & Søn?", "A/B: C", "100% $& $1"]) {
        const { link, permanent } = linkMaker("https://wiki.example", path)(title, 71);
        expect(URL.canParse(permanent)).toBe(true);
        expect(pageOfLink(permanent)).toEqual({ link, revision: 71 });
        expect(pageOfLink(link)).toEqual({ link, revision: null });
      }
    }
  });

  it("is none of another kind", () => {
    for (const text of ["Otto Brand", "javascript:alert(1)", ""]) expect(pageOfLink(text)).toBeUndefined();
  });
});

describe("Fandom's wikis", () => {
  it("are known by their hosts", () => {
    for (const host of ["seinfeld.fandom.com", "fandom.com", "seinfeld.wikia.com", "x.gamepedia.com"])
      expect(isFandom(host)).toBe(true);
    for (const host of ["notfandom.com", "fandom.com.example", "en.wikipedia.org"]) expect(isFandom(host)).toBe(false);
  });
});
