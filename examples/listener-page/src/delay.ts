/** How far the interpretation is behind the speakers, by the sound alone. Pure. */

const STEP_MS = 50;
const KEPT = 60_000 / STEP_MS;
const SHORTEST = 300 / STEP_MS;
const LONGEST = 10_000 / STEP_MS;
/** What is compared holds so much interpreted speech at least. */
const LEAST_HEARD = 1000 / STEP_MS;
/** Below it the two have little to do with each other. */
const LEAST_LIKENESS = 0.3;

/**
 * Compares when people speak with when the interpretation does: the delay is the shift by which the
 * two, with their pauses, are most alike.
 */
export class DelayMeter {
  #said: boolean[] = [];
  #heard: boolean[] = [];
  #from: number | undefined;

  /**
   * Note what sounds at this moment.
   *
   * @param now Milliseconds of any clock that only goes forward.
   * @param isSaid An original is audible.
   * @param isHeard The interpretation is audible.
   */
  note(now: number, isSaid: boolean, isHeard: boolean): void {
    this.#from ??= now - STEP_MS;
    // timers are late, in a hidden page by a second
    for (; this.#from + STEP_MS <= now; this.#from += STEP_MS) {
      this.#said.push(isSaid);
      this.#heard.push(isHeard);
    }
    if (this.#said.length > KEPT) {
      this.#said = this.#said.slice(-KEPT);
      this.#heard = this.#heard.slice(-KEPT);
    }
  }

  /** Seconds; undefined where too little was heard to tell. */
  seconds(): number | undefined {
    let best = { shift: 0, likeness: LEAST_LIKENESS };
    for (let shift = SHORTEST; shift <= Math.min(LONGEST, this.#said.length - LEAST_HEARD); shift++) {
      const likeness = this.#likeness(shift);
      if (likeness > best.likeness) best = { shift, likeness };
    }
    return best.shift === 0 ? undefined : (best.shift * STEP_MS) / 1000;
  }

  /** The correlation of what was said with what was heard so much later, -1 to 1. */
  #likeness(shift: number): number {
    const length = this.#said.length - shift;
    let [said, heard, both] = [0, 0, 0];
    for (let i = 0; i < length; i++) {
      const [a, b] = [this.#said[i], this.#heard[i + shift]];
      if (a) said++;
      if (b) heard++;
      if (a && b) both++;
    }
    if (heard < LEAST_HEARD) return 0;
    const spread = Math.sqrt(said * (length - said) * heard * (length - heard));
    return spread === 0 ? 0 : (length * both - said * heard) / spread;
  }
}
