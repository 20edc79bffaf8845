/** Requests at a rate, whether those before are answered or not, as people who know nothing of each other send them. */

export type SteadyLoad = {
  readonly perSecond: number;
  readonly seconds: number;
  /** So many may wait for their answers; what would come beyond is left out. */
  readonly mostAtOnce: number;
};

export type Loaded<Result> = {
  readonly results: readonly Result[];
  /** How many were left out, because too many waited or because this process came too late. */
  readonly leftOut: number;
};

const tickMs = 2;

/** Resolves when the last answer is there. @param ask is given the number of the request */
export async function loadSteadily<Result>(
  { perSecond, seconds, mostAtOnce }: SteadyLoad,
  ask: (index: number) => Promise<Result> | undefined,
): Promise<Loaded<Result>> {
  const startedAt = performance.now();
  const all = perSecond * seconds;
  const asked: Promise<Result>[] = [];
  let index = 0;
  let atOnce = 0;
  let leftOut = 0;
  const askNext = () => {
    const asking = atOnce < mostAtOnce ? ask(index) : undefined;
    if (asking === undefined) leftOut += 1;
    else {
      atOnce += 1;
      asked.push(
        asking.finally(() => {
          atOnce -= 1;
        }),
      );
    }
    index += 1;
  };
  while (index < all) {
    const due = Math.min(Math.floor(((performance.now() - startedAt) * perSecond) / 1_000), all);
    while (index < due) askNext();
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  return { results: await Promise.all(asked), leftOut };
}
