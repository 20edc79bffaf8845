import { describe, expect, it } from "vitest";
import { whichShow } from "./which-show.ts";

const known = [
  { id: "spin-city", title: "Spin City", aliases: [], years: null },
  {
    id: "married-with-children",
    title: "Married… with Children",
    aliases: ["Married with Children", "MWC"],
    years: null,
  },
];

const unnamed = { id: undefined, title: undefined };

describe("the show that pages are about", () => {
  it.each(["spin-city", "Spin City", "SPIN CITY"])("is a known one, said as %s", (id) => {
    expect(whichShow(known, { id, title: undefined }, undefined).id).toBe("spin-city");
  });

  it("is known by other names, whatever stands between their letters", () => {
    expect(whichShow(known, { id: "mwc", title: undefined }, undefined).id).toBe("married-with-children");
    expect(whichShow(known, { id: undefined, title: "Married with Children" }, undefined).id).toBe(
      "married-with-children",
    );
  });

  it("is the one that the wiki is called like, where nobody says otherwise", () => {
    expect(whichShow(known, unnamed, "spincity.fandom.com").id).toBe("spin-city");
    expect(whichShow(known, { id: "mwc", title: undefined }, "spincity.fandom.com").id).toBe("married-with-children");
    expect(() => whichShow(known, unnamed, "en.wikipedia.org")).toThrow("Say which show the pages are about");
  });

  it("is a new one with an id and a title", () => {
    const wings = { id: "wings", title: "Wings", aliases: [], years: null };
    expect(whichShow(known, { id: "wings", title: " Wings " }, undefined)).toEqual(wings);
    expect(() => whichShow(known, { id: "wings", title: undefined }, undefined)).toThrow(
      "There is no show wings. Known are spin-city (Spin City), married-with-children",
    );
    expect(() => whichShow(known, { id: "Wings!", title: "Wings" }, undefined)).toThrow(
      "--show must be lower-case words",
    );
  });
});
