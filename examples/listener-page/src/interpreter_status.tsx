/** How the interpreter is doing, in a line. */

import { ORIGINAL } from "./contract.ts";
import { ownName } from "./languages.ts";
import type { Meeting } from "./meeting.ts";
import { words } from "./words.ts";

type Mood = "waiting" | "good" | "bad";

export function InterpreterStatus({ meeting }: { readonly meeting: Meeting }) {
  const [mood, sentence] = describe(meeting);
  const delay = meeting.sound.delay.value;
  const isTold = mood === "good" && meeting.listen !== ORIGINAL && delay !== undefined;
  return (
    <div class={`status ${mood}`}>
      <span class="dot" aria-hidden="true" />
      <span class="sentence" role="status" aria-label={words.interpreter.label}>
        {sentence}
      </span>
      {isTold && <span class="delay">{words.interpreter.delay(delay.toFixed(1))}</span>}
    </div>
  );
}

function describe(meeting: Meeting): [Mood, string] {
  const interpreter = meeting.interpreter.value;
  if (interpreter === undefined) {
    return meeting.presence.value === "awaited"
      ? ["waiting", words.interpreter.waiting]
      : ["bad", words.interpreter.failed];
  }
  switch (interpreter.state) {
    case "live": {
      const isHeard = meeting.listen !== ORIGINAL;
      return ["good", isHeard ? words.interpreter.interpreting(ownName(meeting.listen)) : words.interpreter.ready];
    }
    case "degraded":
      return ["bad", words.interpreter.troubled];
    case "failed":
      return ["bad", words.interpreter.failed];
    default:
      return ["waiting", words.interpreter.starting];
  }
}
