/** The volume of the original under the interpretation. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Ducking } from "../src/ducking.ts";

/** The volumes over a time, in steps of 50 ms. */
function volumes(ducking: Ducking, from: number, until: number, isHeard: boolean, floor = 0.15): number[] {
  const seen: number[] = [];
  for (let now = from; now <= until; now += 50) seen.push(ducking.step(now, isHeard, floor));
  return seen;
}

test("the original goes down within an eighth of a second, along a ramp", () => {
  const seen = volumes(new Ducking(), 0, 200, true);
  assert.equal(seen[0], 1);
  assert.ok(seen[1]! < 1 && seen[1]! > 0.15);
  assert.equal(seen.at(-1), 0.15);
});

test("it stays down over the gaps between words, and comes back slowly", () => {
  const ducking = new Ducking();
  volumes(ducking, 0, 1000, true);
  assert.equal(volumes(ducking, 1050, 1650, false).at(-1), 0.15);
  const back = volumes(ducking, 1700, 2300, false);
  assert.ok(back[1]! > 0.15 && back[1]! < 1);
  assert.equal(back.at(-1), 1);
});

test("where no interpretation is heard nothing is quieter", () => {
  assert.ok(volumes(new Ducking(), 0, 1000, false).every((volume) => volume === 1));
});

test("another balance is reached along a ramp too", () => {
  const ducking = new Ducking();
  volumes(ducking, 0, 1000, true, 0);
  const seen = volumes(ducking, 1050, 1600, true, 0.5);
  assert.ok(seen[0]! > 0 && seen[0]! < 0.5);
  assert.equal(seen.at(-1), 0.5);
});

test("a timer that was late makes no jump past the goal", () => {
  const ducking = new Ducking();
  ducking.step(0, true, 0.15);
  assert.equal(ducking.step(5000, true, 0.15), 0.15);
  assert.equal(ducking.step(60_000, false, 0.15), 1);
});
