/** What LiveKit's ready-made hooks make of a room, as JSON in the page. Nothing here knows the interpreter. */

import {
  RoomAudioRenderer,
  SessionProvider,
  useAgent,
  useChat,
  useSession,
  useSessionMessages,
  useTranscriptions,
  useVoiceAssistant,
  type UseSessionReturn,
} from "@livekit/components-react";
import { TokenSource } from "livekit-client";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

const source = TokenSource.endpoint("token");

function Page() {
  const session = useSession(source, { participantName: "Guest" });
  useEffect(() => {
    void session.start({ tracks: { microphone: { enabled: false } } });
  }, []);
  return (
    <SessionProvider session={session}>
      <RoomAudioRenderer />
      <Seen session={session} />
    </SessionProvider>
  );
}

function Seen({ session }: { session: UseSessionReturn }) {
  const agent = useAgent(session);
  const assistant = useVoiceAssistant();
  const transcriptions = useTranscriptions();
  const chat = useChat();
  const messages = useSessionMessages(session);
  const seen = {
    connection: session.connectionState,
    agent: {
      state: agent.state,
      isAvailable: agent.state === "listening" || agent.state === "speaking",
      failureReasons: agent.failureReasons,
      track: agent.microphoneTrack?.publication.trackName,
    },
    assistant: {
      state: assistant.state,
      track: assistant.audioTrack?.publication.trackName,
    },
    transcriptions: transcriptions.map((it) => ({ text: it.text, by: it.participantInfo.identity })),
    chat: chat.chatMessages.map((it) => ({ text: it.message, by: it.from?.identity })),
    messages: messages.messages.map((it) => ({ type: it.type, text: it.message, by: it.from?.identity })),
  };
  return (
    <>
      <pre id="seen">{JSON.stringify(seen)}</pre>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void chat.send(String(new FormData(event.currentTarget).get("text")));
        }}
      >
        <input name="text" aria-label="Message" />
      </form>
    </>
  );
}

createRoot(document.getElementById("page")!).render(<Page />);
