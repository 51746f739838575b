/** The room contract as a client sees it: names, and how what comes under them is read. Pure. */

export const STATE = "palabra.state";
export const LANGUAGES = "palabra.languages";
export const ERROR = "palabra.error";
export const SPEAK = "palabra.speak";
export const LISTEN = "palabra.listen";
export const CAPTIONS = "palabra.captions";
export const ORIGINAL = "original";
export const AUTO = "auto";

export const CAPTION_TOPIC = "lk.transcription";
export const CHAT_TOPIC = "lk.chat";
export const STATUS_TOPIC = "palabra.status";
export const LANGUAGES_METHOD = "palabra.languages";

const TRACK_PREFIX = "translation_";
const AFTER_LANGUAGE = /[/@]/;

export type Attributes = Readonly<Record<string, string | undefined>>;

/** What the captions show: one version, the original beside it, or nothing. */
export type CaptionChoice = "translation" | "both" | "off";

export interface Caption {
  /** A later caption with the same id replaces it. */
  readonly id: string;
  /** Identity of the speaker. */
  readonly speaker: string;
  readonly text: string;
  readonly language: string;
  readonly isTranslation: boolean;
  readonly isFinal: boolean;
}

export interface ChatLine {
  readonly id: string;
  /** Identity of the person whose words these are. */
  readonly author: string;
  readonly text: string;
  readonly language: string;
  /**
   * `spoken`: the interpreter wrote down what was said; `typed`: a person, or the interpreter itself, wrote it;
   * `translated`: the interpreter translated what a person typed.
   */
  readonly kind: "spoken" | "typed" | "translated";
  readonly at: number;
}

/** How the interpretation of this person goes; all zeros until they are told. */
export interface OwnStatus {
  /** Others who hear them interpreted. */
  readonly listeners: number;
  /** Seconds since their last word while its interpretation goes on; else 0. */
  readonly lag: number;
  /** Seconds that it still takes; undefined where that is not known. */
  readonly left: number | undefined;
}

export const NOT_HEARD: OwnStatus = { listeners: 0, lag: 0, left: undefined };

/** The language of one of the interpreter's tracks; undefined for a track of another kind. */
export function languageOfTrack(name: string): string | undefined {
  if (!name.startsWith(TRACK_PREFIX)) return undefined;
  return name.slice(TRACK_PREFIX.length).split(AFTER_LANGUAGE, 1)[0];
}

/** The languages that an interpreter offers. */
export function offeredBy(attributes: Attributes): readonly string[] {
  return (attributes[LANGUAGES] ?? "").split(",").filter((code) => code !== "");
}

export function readCaption(text: string, speaker: string, streamId: string, told: Attributes): Caption {
  return {
    id: told["lk.segment_id"] ?? streamId,
    speaker,
    text,
    language: told["language"] ?? "",
    isTranslation: told["translated"] === "true",
    isFinal: told["lk.transcription_final"] === "true",
  };
}

/** Read a chat message; of one that holds what was said, the speaker's name is taken off. */
export function readChatLine(
  text: string,
  sender: string,
  stream: { readonly id: string; readonly timestamp: number },
  told: Attributes,
  nameOf: (identity: string) => string,
): ChatLine {
  const speaker = told["palabra.kind"] ? told["palabra.speaker"] : undefined;
  const isTyped = told["palabra.typed"] === "true";
  const heading = speaker === undefined ? "" : `${nameOf(speaker)}: `;
  return {
    id: stream.id,
    author: speaker ?? sender,
    text: text.startsWith(heading) ? text.slice(heading.length) : text,
    language: told["language"] ?? "",
    kind: speaker === undefined ? "typed" : isTyped ? "translated" : "spoken",
    at: stream.timestamp,
  };
}

/** Read what a speaker is told of their own interpretation. */
export function readStatus(text: string): OwnStatus {
  try {
    const { listeners, lag_seconds, seconds_left } = JSON.parse(text) as Record<string, unknown>;
    return { listeners: numberIn(listeners) ?? 0, lag: numberIn(lag_seconds) ?? 0, left: numberIn(seconds_left) };
  } catch {
    return NOT_HEARD;
  }
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What an interpreter takes a person to hear and speak, out of its answer to `palabra.languages`. */
export function choicesIn(answer: string): { listen?: string; speak?: string } {
  try {
    const { listen, speak } = JSON.parse(answer) as Record<string, unknown>;
    return {
      ...(typeof listen === "string" && { listen }),
      ...(typeof speak === "string" && { speak }),
    };
  } catch {
    return {};
  }
}
