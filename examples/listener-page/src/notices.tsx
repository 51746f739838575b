/** What is wrong right now, in words, and what can be done about it. */

import type { Meeting } from "./meeting.ts";
import { Cross } from "./icons.tsx";
import { words } from "./words.ts";

export function Notices({ meeting }: { readonly meeting: Meeting }) {
  const interpreter = meeting.interpreter.value;
  const presence = meeting.presence.value;
  return (
    <section class="notices" aria-label={words.trouble.label}>
      {meeting.isReconnecting.value && (
        <p class="notice bad" role="alert">
          {words.trouble.reconnecting}
        </p>
      )}
      {meeting.isSoundBlocked.value && (
        <p class="notice">
          {words.sound.blocked}
          <button type="button" onClick={() => void meeting.unblockSound()}>
            {words.sound.unblock}
          </button>
        </p>
      )}
      {(presence === "absent" || presence === "left") && (
        <p class="notice" role="status">
          {presence === "absent" ? words.interpreter.absent : words.interpreter.left}
        </p>
      )}
      {interpreter !== undefined && interpreter.error !== "" && (
        <p class="notice bad" role="status">
          {words.interpreter.says(interpreter.error)}
        </p>
      )}
      {meeting.trouble.value !== "" && (
        <p class="notice bad" role="alert">
          {meeting.trouble.value}
          <button
            type="button"
            class="plain"
            aria-label={words.trouble.dismiss}
            onClick={() => (meeting.trouble.value = "")}
          >
            <Cross />
          </button>
        </p>
      )}
    </section>
  );
}
