/** The door: a name, and in. */

import { useSignal } from "@preact/signals";

import { Mark } from "./icons.tsx";
import * as remembered from "./remembered.ts";
import { words } from "./words.ts";

interface Props {
  readonly isBusy: boolean;
  /** Why the last try did not work, or the meeting is over; empty for nothing. */
  readonly trouble: string;
  readonly onJoin: (name: string) => void;
}

export function JoinScreen({ isBusy, trouble, onJoin }: Props) {
  const name = useSignal(remembered.name.value);
  const isMissing = useSignal(false);

  function submit(event: Event): void {
    event.preventDefault();
    const given = name.value.trim();
    isMissing.value = given === "";
    if (!isMissing.value) onJoin(given);
  }

  return (
    <main class="door">
      <form class="card" onSubmit={submit} noValidate>
        <Mark />
        <h1>{words.join.heading}</h1>
        <p class="pitch">{words.join.pitch}</p>
        {trouble !== "" && (
          <p class="notice bad" role="alert">
            {trouble}
          </p>
        )}
        <label for="name">{words.join.name}</label>
        <input
          id="name"
          name="name"
          autocomplete="name"
          autofocus
          maxLength={40}
          placeholder={words.join.nameHint}
          value={name.value}
          aria-invalid={isMissing.value}
          aria-describedby={isMissing.value ? "name-missing" : undefined}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        {isMissing.value && (
          <p id="name-missing" class="field-trouble" role="alert">
            {words.join.nameMissing}
          </p>
        )}
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? words.join.busy : words.join.button}
        </button>
        <p class="small">{words.join.disclosure}</p>
      </form>
    </main>
  );
}
