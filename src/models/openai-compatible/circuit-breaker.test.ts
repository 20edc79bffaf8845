import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallOutcome, CircuitBreaker, type Permit } from "./circuit-breaker.ts";

function start() {
  const clock = { now: 0 };
  const changes: string[] = [];
  const breaker = new CircuitBreaker(
    () => clock.now,
    (state) => void changes.push(state),
  );
  const enter = (): Permit => {
    const permit = breaker.enter();
    if (permit === undefined) throw new Error(`The breaker is ${breaker.state}`);
    return permit;
  };
  const call = (outcome: CallOutcome, times = 1) => {
    for (let time = 0; time < times; time += 1) enter().end(outcome);
  };
  return { clock, changes, breaker, enter, call };
}

describe("a closed breaker", () => {
  it("opens at the fifth failure in 30 seconds, where half of the calls failed", () => {
    const { breaker, call, changes } = start();
    call("failed", 4);
    expect(breaker.state).toBe("closed");
    call("failed");
    expect(breaker.state).toBe("open");
    expect(changes).toEqual(["open"]);
    expect(breaker.enter()).toBeUndefined();
  });

  it("stays closed where more calls succeed than fail, and opens when the failures have caught up", () => {
    const { breaker, call } = start();
    call("succeeded", 10);
    call("failed", 9);
    expect(breaker.state).toBe("closed");
    call("failed");
    expect(breaker.state).toBe("open");
  });

  it("forgets what is older than 30 seconds", () => {
    const { breaker, call, clock } = start();
    call("failed", 4);
    clock.now = 30_000;
    call("failed", 4);
    expect(breaker.state).toBe("closed");
  });

  it("counts neither refusals nor calls that nobody waited for", () => {
    const { breaker, call } = start();
    call("refused", 50);
    call("abandoned", 50);
    call("failed", 5);
    expect(breaker.state).toBe("open");
  });

  it("counts a call once, whatever it says later", () => {
    const { breaker, enter } = start();
    const permit = enter();
    permit.end("abandoned");
    for (let time = 0; time < 9; time += 1) permit.end("failed");
    expect(breaker.state).toBe("closed");
  });
});

describe("an open breaker", () => {
  function opened() {
    const started = start();
    started.call("failed", 5);
    return started;
  }

  it("rests for ten seconds and says how much of that is left", () => {
    const { breaker, clock } = opened();
    expect(breaker.waitMs).toBe(10_000);
    clock.now = 9_999;
    expect(breaker.waitMs).toBe(1);
    expect(breaker.enter()).toBeUndefined();
    clock.now = 10_000;
    expect(breaker.state).toBe("half-open");
    expect(breaker.waitMs).toBe(0);
  });

  it("then lets one probe through, and nobody beside it", () => {
    const { breaker, clock, enter } = opened();
    clock.now = 10_000;
    enter();
    expect(Array.from({ length: 20 }, () => breaker.enter())).toEqual(Array(20).fill(undefined));
    expect(breaker.waitMs).toBe(2_000);
  });

  it("closes when the probe succeeds, is answered with no, or begins to be answered", () => {
    for (const outcome of ["succeeded", "refused"] as const) {
      const { breaker, clock, call } = opened();
      clock.now = 10_000;
      call(outcome);
      expect(breaker.state).toBe("closed");
      call("failed", 4);
      expect(breaker.state).toBe("closed");
    }
    const { breaker, clock, enter, call, changes } = opened();
    clock.now = 10_000;
    const probe = enter();
    probe.began();
    expect(breaker.state).toBe("closed");
    // What becomes of the answer counts as that of any other call.
    call("failed", 4);
    probe.end("failed");
    expect(breaker.state).toBe("open");
    expect(changes).toEqual(["open", "closed", "open"]);
  });

  it("rests twice as long when the probe fails, up to a minute, and ten seconds again after it was closed", () => {
    const { breaker, clock, call } = opened();
    const rests: number[] = [];
    for (let probe = 0; probe < 5; probe += 1) {
      clock.now += breaker.waitMs;
      call("failed");
      rests.push(breaker.waitMs);
    }
    expect(rests).toEqual([20_000, 40_000, 60_000, 60_000, 60_000]);
    clock.now += breaker.waitMs;
    call("succeeded");
    call("failed", 5);
    expect(breaker.waitMs).toBe(10_000);
  });

  it("gives the place of a probe that nobody waited for to the next one", () => {
    const { breaker, clock, enter } = opened();
    clock.now = 10_000;
    const probe = enter();
    probe.end("abandoned");
    const next = enter();
    probe.end("succeeded");
    probe.began();
    expect(breaker.state).toBe("half-open");
    next.end("succeeded");
    expect(breaker.state).toBe("closed");
  });

  it("does not listen to calls that began before it opened", () => {
    const { breaker, clock, enter, call } = start();
    const [late, later, latest] = [enter(), enter(), enter()];
    call("failed", 5);
    late.end("succeeded");
    expect(breaker.state).toBe("open");
    clock.now = 10_000;
    later.end("failed");
    latest.began();
    expect(breaker.state).toBe("half-open");
    expect(breaker.enter()).toBeDefined();
  });
});

describe("whatever calls come and however they end", () => {
  const outcome = fc.constantFrom<CallOutcome>("succeeded", "failed", "failed", "refused", "abandoned");
  const step = fc.oneof(
    fc.record({ type: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 25_000 }) }),
    fc.record({ type: fc.constant("enter" as const) }),
    fc.record({ type: fc.constant("enter" as const) }),
    fc.record({ type: fc.constant("begin" as const), which: fc.nat() }),
    fc.record({ type: fc.constant("end" as const), which: fc.nat(), outcome }),
    fc.record({ type: fc.constant("end" as const), which: fc.nat(), outcome }),
  );

  it("the breaker does what its rules say: it opens by them alone, and never lets two probes out at once", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { breaker, clock } = start();
        const calls: { permit: Permit; era: number; hasEnded: boolean }[] = [];
        // The rules again, as plainly as they can be written.
        let era = 0;
        let counted: { at: number; failed: boolean }[] = [];
        let openUntil: number | undefined;
        let restMs = 10_000;
        let probe: object | undefined;
        const open = (rest: number) => {
          [restMs, openUntil, probe] = [rest, clock.now + rest, undefined];
          era += 1;
        };
        const close = () => {
          [openUntil, probe, counted] = [undefined, undefined, []];
          era += 1;
        };
        for (const next of steps) {
          if (next.type === "wait") clock.now += next.ms;
          else if (next.type === "enter") {
            const isHalfOpen = openUntil !== undefined && clock.now >= openUntil;
            const permit = breaker.enter();
            expect(permit !== undefined).toBe(openUntil === undefined || (isHalfOpen && probe === undefined));
            if (permit === undefined) continue;
            const call = { permit, era, hasEnded: false };
            calls.push(call);
            if (isHalfOpen) probe = call;
          } else {
            const call = calls[next.which % Math.max(calls.length, 1)];
            if (call === undefined) continue;
            const isProbe = call === probe;
            const matters = call.era === era && !call.hasEnded;
            if (next.type === "begin") {
              call.permit.began();
              if (isProbe) close();
              if (isProbe) call.era = era;
            } else {
              call.permit.end(next.outcome);
              call.hasEnded = true;
              if (matters && isProbe) {
                if (next.outcome === "failed") open(Math.min(restMs * 2, 60_000));
                else if (next.outcome === "abandoned") probe = undefined;
                else close();
              } else if (matters && (next.outcome === "failed" || next.outcome === "succeeded")) {
                counted.push({ at: clock.now, failed: next.outcome === "failed" });
                const recent = counted.filter(({ at }) => Math.floor(at / 1_000) > Math.floor(clock.now / 1_000) - 30);
                const failures = recent.filter(({ failed }) => failed).length;
                if (next.outcome === "failed" && failures >= 5 && failures * 2 >= recent.length) open(10_000);
              }
            }
          }
          const expected = openUntil === undefined ? "closed" : clock.now < openUntil ? "open" : "half-open";
          expect(breaker.state).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });
});
