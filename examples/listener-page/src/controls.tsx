/** The controls: microphone, languages, balance, captions, chat, and the way out. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import { AUTO, type CaptionChoice, ORIGINAL } from "./contract.ts";
import { Balance, Bubble, Ear, Exit, Letters, Microphone, MicrophoneOff, Mouth } from "./icons.tsx";
import { ownName } from "./languages.ts";
import type { Meeting } from "./meeting.ts";
import * as remembered from "./remembered.ts";
import { words } from "./words.ts";

interface Props {
  readonly meeting: Meeting;
  readonly isChatOpen: Signal<boolean>;
}

export function Controls({ meeting, isChatOpen }: Props) {
  return (
    <footer class="controls" aria-label={words.meeting.controls}>
      <MicrophoneButton meeting={meeting} />
      <Hear meeting={meeting} />
      <Speak meeting={meeting} />
      <BalanceSlider meeting={meeting} />
      <CaptionSettings meeting={meeting} />
      <button
        type="button"
        class="tool"
        aria-pressed={isChatOpen.value}
        onClick={() => (isChatOpen.value = !isChatOpen.value)}
      >
        <Bubble />
        <span class="label">{words.chat.open}</span>
        {meeting.unread.value > 0 && !isChatOpen.value && (
          <span class="badge">
            <span aria-hidden="true">{meeting.unread.value}</span>
            <span class="unseen">{words.chat.unread(meeting.unread.value)}</span>
          </span>
        )}
      </button>
      <button type="button" class="tool leave" onClick={() => void meeting.leave()}>
        <Exit />
        <span class="label">{words.meeting.leave}</span>
      </button>
    </footer>
  );
}

function MicrophoneButton({ meeting }: { readonly meeting: Meeting }) {
  const isOn = meeting.isMicrophoneOn.value;
  return (
    <button
      type="button"
      class="tool microphone"
      aria-pressed={isOn}
      aria-busy={meeting.isMicrophoneBusy.value}
      onClick={() => void meeting.turnMicrophone(!isOn)}
    >
      {isOn ? <Microphone /> : <MicrophoneOff />}
      <span class="label">{words.sound.microphone}</span>
      <MicrophoneLevel meeting={meeting} />
    </button>
  );
}

function MicrophoneLevel({ meeting }: { readonly meeting: Meeting }) {
  const share = meeting.isMicrophoneOn.value ? meeting.microphoneLevel.value : 0;
  return (
    <span class="level" aria-hidden="true">
      <span style={{ transform: `scaleX(${share.toFixed(2)})` }} />
    </span>
  );
}

function Hear({ meeting }: { readonly meeting: Meeting }) {
  const codes = withChosen(meeting.offered.value, meeting.listen, ORIGINAL);
  return (
    <Choice
      id="hear"
      label={words.sound.hear}
      icon={<Ear />}
      value={meeting.listen}
      first={[ORIGINAL, words.sound.original]}
      codes={codes}
      onChoose={(code) => void meeting.hear(code)}
    />
  );
}

function Speak({ meeting }: { readonly meeting: Meeting }) {
  const codes = withChosen(meeting.offered.value, remembered.speak.value, AUTO);
  return (
    <Choice
      id="speak"
      label={words.sound.speak}
      icon={<Mouth />}
      value={remembered.speak.value}
      first={[AUTO, words.sound.detect]}
      codes={codes}
      onChoose={(code) => void meeting.speak(code)}
    />
  );
}

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly value: string;
  readonly first: readonly [string, string];
  readonly codes: readonly string[];
  readonly onChoose: (code: string) => void;
}

function Choice({ id, label, icon, value, first, codes, onChoose }: ChoiceProps) {
  return (
    <span class={`choice ${id}`}>
      <label for={id}>
        {icon}
        <span>{label}</span>
      </label>
      <select id={id} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value={first[0]}>{first[1]}</option>
        {codes.map((code) => (
          <option key={code} value={code} lang={code}>
            {ownName(code)}
          </option>
        ))}
      </select>
    </span>
  );
}

/** What can be chosen, and what was chosen before where this meeting does not offer it. */
function withChosen(offered: readonly string[], chosen: string, none: string): readonly string[] {
  return chosen === none || offered.includes(chosen) ? offered : [...offered, chosen];
}

function BalanceSlider({ meeting }: { readonly meeting: Meeting }) {
  const percent = Math.round(remembered.balance.value * 100);
  return (
    <span class="choice balance" title={meeting.sound.canFade ? words.sound.balance : words.sound.muteOnly}>
      <label for="balance">
        <Balance />
        <span aria-hidden="true">{words.sound.balanceShort}</span>
        <span class="unseen">{words.sound.balance}</span>
      </label>
      <input
        id="balance"
        type="range"
        min="0"
        max="100"
        step="5"
        value={percent}
        disabled={!meeting.sound.canFade}
        aria-valuetext={words.sound.balanceValue(percent)}
        onInput={(event) => (remembered.balance.value = event.currentTarget.valueAsNumber / 100)}
      />
    </span>
  );
}

function CaptionSettings({ meeting }: { readonly meeting: Meeting }) {
  const choices: readonly [CaptionChoice, string][] = [
    ["translation", words.captions.translation],
    ["both", words.captions.both],
    ["off", words.captions.off],
  ];
  return (
    <>
      <button type="button" class="tool" popovertarget="caption-settings">
        <Letters />
        <span class="label">{words.captions.button}</span>
      </button>
      <div id="caption-settings" class="sheet" popover="auto" role="dialog" aria-label={words.captions.label}>
        <fieldset>
          <legend>{words.captions.show}</legend>
          {choices.map(([choice, label]) => (
            <label key={choice}>
              <input
                type="radio"
                name="caption-choice"
                checked={remembered.captionChoice.value === choice}
                onChange={() => void meeting.showCaptions(choice)}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <fieldset class="sizes">
          <legend>{words.captions.size}</legend>
          {(["S", "M", "L"] as const).map((size) => (
            <label key={size} title={words.captions.sizes[size]}>
              <input
                type="radio"
                name="caption-size"
                checked={remembered.captionSize.value === size}
                onChange={() => (remembered.captionSize.value = size)}
              />
              <span aria-hidden="true">{size}</span>
              <span class="unseen">{words.captions.sizes[size]}</span>
            </label>
          ))}
        </fieldset>
      </div>
    </>
  );
}
