/** The page: a door to the meeting, and the meeting. */

import { signal } from "@preact/signals";
import { render } from "preact";

import { JoinScreen } from "./join_screen.tsx";
import { allowSound } from "./level.ts";
import { Meeting } from "./meeting.ts";
import { MeetingScreen } from "./meeting_screen.tsx";
import { askForPass } from "./pass.ts";
import * as remembered from "./remembered.ts";
import { whyNotJoined } from "./trouble.ts";
import { words } from "./words.ts";

const meeting = signal<Meeting | undefined>(undefined);
const isJoining = signal(false);
const trouble = signal("");

async function join(name: string): Promise<void> {
  if (isJoining.value) return;
  isJoining.value = true;
  trouble.value = "";
  remembered.name.value = name;
  allowSound();
  const room = new URLSearchParams(location.search).get("room") ?? "";
  let url = "";
  try {
    const pass = await askForPass(room, name);
    url = pass.url;
    const joined = new Meeting(leave);
    await joined.join(pass);
    meeting.value = joined;
  } catch (error) {
    trouble.value = whyNotJoined(error, url);
  } finally {
    isJoining.value = false;
  }
}

function leave(why: string | undefined): void {
  meeting.value = undefined;
  trouble.value = why ?? "";
}

function Page() {
  if (meeting.value !== undefined) return <MeetingScreen meeting={meeting.value} />;
  return <JoinScreen isBusy={isJoining.value} trouble={trouble.value} onJoin={(name) => void join(name)} />;
}

document.title = words.title;
const place = document.getElementById("page");
if (place !== null) render(<Page />, place);
