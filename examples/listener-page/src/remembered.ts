/** Choices that the browser remembers from one meeting to the next. */

import { effect, signal, type Signal } from "@preact/signals";

import { AUTO, type CaptionChoice } from "./contract.ts";
import { DEFAULT_BALANCE } from "./ducking.ts";

export type CaptionSize = "S" | "M" | "L";

export const name = remembered("name", "", isText);
/** A language, `original`, or empty for none chosen yet. */
export const listen = remembered("listen", "", isText);
export const speak = remembered("speak", AUTO, isText);
/** The volume of the original under the interpretation, 0 to 1. */
export const balance = remembered("balance", DEFAULT_BALANCE, isShare);
export const captionChoice = remembered<CaptionChoice>("captions", "translation", isCaptionChoice);
export const captionSize = remembered<CaptionSize>("caption-size", "M", isCaptionSize);

function remembered<T>(key: string, initial: T, isGood: (value: unknown) => value is T): Signal<T> {
  const place = `palabra.${key}`;
  const it = signal(recall(place, isGood) ?? initial);
  effect(() => {
    try {
      localStorage.setItem(place, JSON.stringify(it.value));
    } catch {
      // a browser that keeps nothing is asked again each time
    }
  });
  return it;
}

function recall<T>(place: string, isGood: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(place) ?? "null");
    return isGood(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= 100;
}

function isShare(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function isCaptionChoice(value: unknown): value is CaptionChoice {
  return value === "translation" || value === "both" || value === "off";
}

function isCaptionSize(value: unknown): value is CaptionSize {
  return value === "S" || value === "M" || value === "L";
}
