/** Plays the meeting: the originals, and the interpretation over them. */

import { signal } from "@preact/signals";
import type { RemoteAudioTrack } from "livekit-client";

import { languageOfTrack, ORIGINAL } from "./contract.ts";
import { DelayMeter } from "./delay.ts";
import { Ducking } from "./ducking.ts";
import { Level } from "./level.ts";

const TICK_MS = 50;
const DELAY_MS = 2000;
/** About -50 dB: below it there is noise at most. */
const AUDIBLE = 0.003;

interface Playing {
  readonly track: RemoteAudioTrack;
  /** The language of an interpretation; undefined for an original. */
  readonly language: string | undefined;
  readonly element: HTMLMediaElement;
  readonly level: Level;
}

export class Sound {
  /** True while interpreted speech is audible. */
  readonly isInterpreted = signal(false);
  /** Seconds that the interpretation is behind the speakers; undefined where that is not known. */
  readonly delay = signal<number | undefined>(undefined);
  readonly canFade = canFade();
  #listen = ORIGINAL;
  #balance = 0;
  #playing = new Map<string, Playing>();
  #ducking = new Ducking();
  #meter = new DelayMeter();
  #toldAt = 0;
  #timer: number | undefined;

  /** Hear a language, or the original. */
  listenTo(language: string): void {
    if (language !== this.#listen) {
      this.#meter = new DelayMeter();
      this.delay.value = undefined;
    }
    this.#listen = language;
    this.#mix();
  }

  /** Have the original at this volume under the interpretation. */
  setBalance(balance: number): void {
    this.#balance = balance;
    this.#mix();
  }

  /** Begin to play a track that the server sends. */
  add(track: RemoteAudioTrack, name: string, isInterpreter: boolean): void {
    this.remove(track);
    const element = track.attach();
    element.dataset["track"] = name;
    element.hidden = true;
    document.body.append(element);
    const language = isInterpreter ? languageOfTrack(name) : undefined;
    const level = new Level(track.mediaStreamTrack);
    this.#playing.set(track.sid ?? name, { track, language, element, level });
    this.#timer ??= window.setInterval(() => this.#mix(), TICK_MS);
    this.#mix();
  }

  /** Play a track no longer; the same one may come again, with another sound. */
  remove(track: RemoteAudioTrack): void {
    for (const [sid, it] of this.#playing) if (it.track === track) this.#stop(sid, it);
  }

  close(): void {
    for (const [sid, it] of this.#playing) this.#stop(sid, it);
  }

  #stop(sid: string, it: Playing): void {
    this.#playing.delete(sid);
    it.level.close();
    for (const element of it.track.detach()) element.remove();
    if (this.#playing.size === 0) {
      window.clearInterval(this.#timer);
      this.#timer = undefined;
      this.isInterpreted.value = false;
    }
  }

  #mix(): void {
    const playing = [...this.#playing.values()];
    const isMine = (it: Playing) => it.language === this.#listen;
    this.isInterpreted.value = playing.some((it) => isMine(it) && it.level.now() > AUDIBLE);
    const now = performance.now();
    const volume = this.#ducking.step(now, this.isInterpreted.value, this.#balance);
    for (const it of playing) {
      if (it.language !== undefined) it.element.muted = !isMine(it);
      else if (this.canFade) it.element.volume = volume;
      else it.element.muted = this.#ducking.isDown(now);
    }
    const isSaid = playing.some((it) => it.language === undefined && it.level.now() > AUDIBLE);
    this.#meter.note(now, isSaid, this.isInterpreted.value);
    if (now - this.#toldAt > DELAY_MS) {
      this.#toldAt = now;
      this.delay.value = this.#meter.seconds();
    }
  }
}

/** False where the platform ignores the volume of an element, as iOS does. */
function canFade(): boolean {
  const probe = document.createElement("audio");
  probe.volume = 0.5;
  return probe.volume === 0.5;
}
