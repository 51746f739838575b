/** The captions that can be read now: a block for each speaker, revised in place. Pure. */

import type { Caption } from "./contract.ts";

/** People read about this fast; a caption stays for as long as it takes, and a breath. */
const CHARACTERS_A_SECOND = 17;
const BREATH_MS = 2500;
/** A partial text that is not revised any more was given up. */
const PARTIAL_MS = 12_000;
const MOST_BLOCKS = 2;
const MOST_KEPT = 40;

export interface Block {
  readonly speaker: string;
  readonly isTranslation: boolean;
  readonly language: string;
  readonly text: string;
  /** False while the end of the text may still be revised. */
  readonly isFinal: boolean;
}

interface Kept {
  readonly caption: Caption;
  readonly until: number;
}

export class CaptionBoard {
  #kept: Kept[] = [];

  /** Take a caption, in the place of the one with the same id where there is one. */
  take(caption: Caption, now: number): void {
    const kept = { caption, until: now + timeToRead(caption) };
    const place = this.#kept.findIndex((it) => it.caption.id === caption.id);
    if (place >= 0) {
      // a late partial does not undo a final text
      if (!this.#kept[place]?.caption.isFinal || caption.isFinal) this.#kept[place] = kept;
    } else {
      this.#kept = [...this.#kept, kept].slice(-MOST_KEPT);
    }
  }

  /** What is to be read at this moment, the newest speaker last. */
  blocks(now: number): Block[] {
    const blocks = new Map<string, Block>();
    for (const { caption, until } of this.#kept) {
      if (until <= now || caption.text.trim() === "") continue;
      const key = `${caption.isTranslation}:${caption.speaker}`;
      const before = blocks.get(key);
      blocks.delete(key); // to the end: who spoke last is read last
      blocks.set(key, {
        speaker: caption.speaker,
        isTranslation: caption.isTranslation,
        language: caption.language,
        text: before?.language === caption.language ? `${before.text} ${caption.text}` : caption.text,
        isFinal: caption.isFinal,
      });
    }
    return newest([...blocks.values()]);
  }

  clear(): void {
    this.#kept = [];
  }
}

/** The blocks of the speakers who spoke last; an original stands above its translation. */
function newest(blocks: Block[]): Block[] {
  const speakers = [...new Set(blocks.map((block) => block.speaker).reverse())].slice(0, MOST_BLOCKS);
  return speakers
    .reverse()
    .flatMap((speaker) =>
      blocks
        .filter((block) => block.speaker === speaker)
        .sort((one, other) => Number(one.isTranslation) - Number(other.isTranslation)),
    );
}

function timeToRead(caption: Caption): number {
  if (!caption.isFinal) return PARTIAL_MS;
  return BREATH_MS + (caption.text.length / CHARACTERS_A_SECOND) * 1000;
}
