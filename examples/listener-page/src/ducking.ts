/** The volume of the original while an interpretation is heard: down and up along ramps. Pure. */

const DOWN_MS = 120;
const UP_MS = 500;
/** Words have gaps: the original stays down for this long after the last interpreted sound. */
const HOLD_MS = 700;

export const DEFAULT_BALANCE = 0.15;

export class Ducking {
  /** The volume of the original now, 0 to 1. */
  volume = 1;
  #heardAt = Number.NEGATIVE_INFINITY;
  #steppedAt: number | undefined;

  /** True while the original is to be quiet. */
  isDown(now: number): boolean {
    return now - this.#heardAt < HOLD_MS;
  }

  /**
   * Move the volume to where it belongs at this moment.
   *
   * @param now Milliseconds of any clock that only goes forward.
   * @param isHeard Interpreted speech is audible.
   * @param floor The volume of the original under it.
   */
  step(now: number, isHeard: boolean, floor: number): number {
    if (isHeard) this.#heardAt = now;
    const passed = now - (this.#steppedAt ?? now);
    this.#steppedAt = now;
    const target = this.isDown(now) ? floor : 1;
    this.volume =
      target < this.volume
        ? Math.max(target, this.volume - passed / DOWN_MS)
        : Math.min(target, this.volume + passed / UP_MS);
    return this.volume;
  }
}
