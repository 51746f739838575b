/** The written record: what was said, in this person's language, and what people write. */

import { useSignal, type Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { ChatLine } from "./contract.ts";
import { ownName } from "./languages.ts";
import { Cross, Send } from "./icons.tsx";
import type { Meeting } from "./meeting.ts";
import { words } from "./words.ts";

const LONGEST = 2000;
/** Who has scrolled up this far reads on undisturbed. */
const NEAR_END_PX = 80;

export function Chat({ meeting, isOpen }: { readonly meeting: Meeting; readonly isOpen: Signal<boolean> }) {
  if (!isOpen.value) return null;
  return (
    <aside
      class="chat"
      aria-label={words.chat.label}
      onKeyDown={(event) => {
        if (event.key === "Escape") isOpen.value = false;
      }}
    >
      <h2>{words.chat.label}</h2>
      <button type="button" class="plain close" aria-label={words.chat.close} onClick={() => (isOpen.value = false)}>
        <Cross />
      </button>
      <Lines meeting={meeting} />
      <Composer meeting={meeting} />
    </aside>
  );
}

function Lines({ meeting }: { readonly meeting: Meeting }) {
  const list = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const lines = meeting.chat.value;
  useLayoutEffect(() => {
    meeting.unread.value = 0;
    if (isFollowing.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [lines]);

  return (
    <div
      ref={list}
      class="lines"
      role="log"
      aria-label={words.chat.label}
      tabIndex={0}
      onScroll={({ currentTarget: it }) => {
        isFollowing.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_END_PX;
      }}
    >
      {lines.length === 0 && <p class="hint">{words.chat.empty}</p>}
      <ol>
        {lines.map((line) => (
          <Line key={line.id} line={line} name={meeting.nameOf(line.author)} />
        ))}
      </ol>
    </div>
  );
}

function Line({ line, name }: { readonly line: ChatLine; readonly name: string }) {
  const kind = line.kind === "typed" ? "" : [words.chat[line.kind], ownName(line.language)].join(" · ");
  return (
    <li class={line.kind}>
      <p class="who">
        <b>{name}</b>
        {kind !== "" && <span>{kind}</span>}
      </p>
      <p class="text" lang={line.language || undefined} dir="auto">
        {line.text}
      </p>
    </li>
  );
}

function Composer({ meeting }: { readonly meeting: Meeting }) {
  const text = useSignal("");

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const written = text.value.trim();
    if (written !== "" && (await meeting.write(written))) text.value = "";
  }

  return (
    <form class="composer" onSubmit={(event) => void submit(event)}>
      <input
        aria-label={words.chat.write}
        placeholder={words.chat.write}
        maxLength={LONGEST}
        autocomplete="off"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <button type="submit" class="primary" aria-label={words.chat.send}>
        <Send />
      </button>
    </form>
  );
}
