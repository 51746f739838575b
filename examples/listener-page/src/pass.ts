/** Asks the server of the page for a pass to a meeting, in the form that LiveKit's own clients use. */

import { Trouble } from "./trouble.ts";
import { words } from "./words.ts";

export interface Pass {
  readonly url: string;
  readonly token: string;
}

/**
 * @throws {Trouble} The server is not there, or does not let the person in.
 */
export async function askForPass(room: string, name: string): Promise<Pass> {
  let answer: Response;
  try {
    answer = await fetch("token", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ room_name: room, participant_name: name }),
    });
  } catch {
    throw new Trouble(words.trouble.page);
  }
  const text = await answer.text();
  if (!answer.ok) throw new Trouble(words.trouble.refused(text.trim().slice(0, 200) || `${answer.status}`));
  return read(text);
}

function read(text: string): Pass {
  try {
    const { server_url: url, participant_token: token } = JSON.parse(text) as Record<string, unknown>;
    if (typeof url === "string" && typeof token === "string") return { url, token };
  } catch {
    // no JSON is no pass
  }
  throw new Trouble(words.trouble.answer);
}
