/** The captions: for each speaker two lines, the newest words always in sight. */

import type { Block } from "./captions.ts";
import type { Meeting } from "./meeting.ts";
import * as remembered from "./remembered.ts";
import { words } from "./words.ts";

export function Captions({ meeting }: { readonly meeting: Meeting }) {
  if (remembered.captionChoice.value === "off") return null;
  const blocks = meeting.captions.value;
  return (
    <section class={`captions size-${remembered.captionSize.value}`} aria-label={words.captions.label}>
      {blocks.length === 0 && <p class="hint">{words.captions.empty}</p>}
      {blocks.map((block, number) => (
        <Lines
          key={`${block.speaker}:${block.isTranslation}`}
          block={block}
          // an original and its translation stand under one name
          name={blocks[number - 1]?.speaker === block.speaker ? "" : meeting.nameOf(block.speaker)}
          isAside={!block.isTranslation && blocks[number + 1]?.speaker === block.speaker}
        />
      ))}
    </section>
  );
}

interface LinesProps {
  readonly block: Block;
  readonly name: string;
  /** An original that stands beside its translation. */
  readonly isAside: boolean;
}

function Lines({ block, name, isAside }: LinesProps) {
  return (
    <div class={isAside ? "block aside" : "block"}>
      {name !== "" && <p class="who">{name}</p>}
      <div class="window">
        <p lang={block.language || undefined} dir="auto" class={block.isFinal ? "" : "partial"}>
          {block.text}
        </p>
      </div>
    </div>
  );
}
