/** What went wrong, in words for the person who sees the page. */

import { ConnectionError, ConnectionErrorReason, DisconnectReason, MediaDeviceFailure } from "livekit-client";

import { words } from "./words.ts";

/** An error whose message is a sentence for the person. */
export class Trouble extends Error {}

export function whyNotJoined(error: unknown, serverUrl: string): string {
  if (error instanceof Trouble) return error.message;
  if (!(error instanceof ConnectionError)) return words.trouble.unknown;
  switch (error.reason) {
    case ConnectionErrorReason.NotAllowed:
      return words.trouble.token;
    case ConnectionErrorReason.InternalError:
    case ConnectionErrorReason.Timeout:
      return words.trouble.media;
    default:
      return words.trouble.server(hostOf(serverUrl));
  }
}

/** Why the meeting is over for this person; undefined where they left themselves. */
export function whyOver(reason: DisconnectReason | undefined): string | undefined {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return undefined;
    case DisconnectReason.DUPLICATE_IDENTITY:
      return words.trouble.elsewhere;
    case DisconnectReason.PARTICIPANT_REMOVED:
      return words.trouble.removed;
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return words.trouble.over;
    default:
      return words.trouble.lost;
  }
}

export function whyNoMicrophone(error: unknown): string {
  if (!window.isSecureContext) return words.trouble.insecure;
  switch (MediaDeviceFailure.getFailure(error)) {
    case MediaDeviceFailure.PermissionDenied:
      return words.trouble.microphoneDenied;
    case MediaDeviceFailure.NotFound:
      return words.trouble.microphoneMissing;
    case MediaDeviceFailure.DeviceInUse:
      return words.trouble.microphoneBusy;
    default:
      return error instanceof Error && /permission/i.test(error.message)
        ? words.trouble.microphoneRefused
        : words.trouble.microphoneBusy;
  }
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
