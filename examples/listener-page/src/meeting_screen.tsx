/** The meeting: people, captions, chat, and the controls below them. */

import { useSignal } from "@preact/signals";

import { Captions } from "./captions_view.tsx";
import { Chat } from "./chat_view.tsx";
import { Controls } from "./controls.tsx";
import { InterpreterStatus } from "./interpreter_status.tsx";
import { Mark } from "./icons.tsx";
import type { Meeting } from "./meeting.ts";
import { Notices } from "./notices.tsx";
import { People } from "./people_view.tsx";
import { words } from "./words.ts";

const WIDE = "(min-width: 1000px)";

export function MeetingScreen({ meeting }: { readonly meeting: Meeting }) {
  const isChatOpen = useSignal(window.matchMedia(WIDE).matches);

  return (
    <div class={isChatOpen.value ? "meeting with-chat" : "meeting"}>
      <header>
        <Mark />
        <h1>{words.title}</h1>
        <InterpreterStatus meeting={meeting} />
      </header>
      <main>
        <Notices meeting={meeting} />
        <People people={meeting.people.value} status={meeting.ownStatus.value} />
        <Captions meeting={meeting} />
      </main>
      <Chat meeting={meeting} isOpen={isChatOpen} />
      <Controls meeting={meeting} isChatOpen={isChatOpen} />
    </div>
  );
}
