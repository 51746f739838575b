/** The delay of the interpretation, by the sound alone. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { DelayMeter } from "../src/delay.ts";

/** Speech in pieces of uneven length, from 0 on. */
const PIECES = [[1000, 3200], [4100, 5000], [7800, 9900], [11_000, 16_000], [17_500, 18_700]] as const;

function isSpoken(at: number): boolean {
  return PIECES.some(([from, until]) => from <= at && at < until);
}

/** Hold a meeting of half a minute, seen every so many milliseconds. */
function metered(delay: number | undefined, every = 50): number | undefined {
  const meter = new DelayMeter();
  for (let now = 0; now <= 30_000; now += every) {
    meter.note(now, isSpoken(now), delay !== undefined && isSpoken(now - delay));
  }
  return meter.seconds();
}

for (const delay of [600, 2500, 8000]) {
  test(`an interpretation that comes ${delay} ms later is seen to`, () => {
    assert.ok(Math.abs(metered(delay)! - delay / 1000) <= 0.1);
  });
}

test("a hidden page, whose timers are slow, measures more roughly", () => {
  assert.ok(Math.abs(metered(2500, 1000)! - 2.5) <= 0.6);
});

test("where no interpretation was heard no delay is told", () => {
  assert.equal(metered(undefined), undefined);
  assert.equal(new DelayMeter().seconds(), undefined);
});

test("two sounds that have nothing to do with each other have no delay", () => {
  const meter = new DelayMeter();
  for (let now = 0; now <= 60_000; now += 50) meter.note(now, true, now % 9000 < 4000);
  assert.equal(meter.seconds(), undefined);
});
