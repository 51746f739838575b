/** A tile for each person; the interpreter has none. */

import type { ComponentChildren } from "preact";

import type { OwnStatus } from "./contract.ts";
import { ownName } from "./languages.ts";
import { MicrophoneOff } from "./icons.tsx";
import type { Person } from "./meeting.ts";
import { words } from "./words.ts";

const HUES = 8;

interface Props {
  readonly people: readonly Person[];
  /** How the person at the page is interpreted. */
  readonly status: OwnStatus;
}

export function People({ people, status }: Props) {
  return (
    <section class="people" aria-label={words.meeting.people}>
      <ul>
        {people.map((person) => (
          <Tile key={person.identity} person={person}>
            {person.isMe && <Heard status={status} />}
          </Tile>
        ))}
      </ul>
      {people.length === 1 && <p class="alone">{words.meeting.alone}</p>}
    </section>
  );
}

interface TileProps {
  readonly person: Person;
  readonly children: ComponentChildren;
}

function Tile({ person, children }: TileProps) {
  const name = person.isMe ? words.meeting.me(person.name) : person.name;
  return (
    <li class={person.isSpeaking ? "tile speaking" : "tile"} data-identity={person.identity}>
      <span class={`face hue-${hueOf(person.identity)}`} aria-hidden="true">
        {initials(person.name)}
      </span>
      <span class="name">{name}</span>
      <span class="about">
        {person.isMuted && (
          <span class="muted" title={words.meeting.muted}>
            <MicrophoneOff />
            <span class="unseen">{words.meeting.muted}</span>
          </span>
        )}
        {person.isSpeaking && <span class="unseen">{words.meeting.speaking}</span>}
        {person.speak !== undefined && <span>{words.meeting.speaks(ownName(person.speak))}</span>}
      </span>
      {children}
    </li>
  );
}

/** Tells the person who hears them interpreted, or that it goes on although they have ended. */
function Heard({ status }: { readonly status: OwnStatus }) {
  const { listeners, lag, left } = status;
  const isLate = lag > 0;
  const sentence = isLate ? words.meeting.stillInterpreting : words.meeting.heard(listeners);
  const seconds = left === undefined ? words.meeting.behind(lag) : words.meeting.left(left);
  return (
    <span class={isLate ? "heard late" : "heard"}>
      <span role="status">{listeners > 0 && sentence}</span>
      {isLate && <span class="seconds">{seconds}</span>}
    </span>
  );
}

function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : undefined];
  return letters.map((part) => [...(part ?? "")][0] ?? "").join("").toLocaleUpperCase();
}

function hueOf(identity: string): number {
  let sum = 0;
  for (const letter of identity) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}
