/** One meeting as this person has it: who is there, what is heard and read, and what they choose. */

import { batch, effect, signal } from "@preact/signals";
import {
  ConnectionState,
  type DisconnectReason,
  ParticipantKind,
  type Participant,
  type RemoteAudioTrack,
  type RemoteParticipant,
  type RemoteTrack,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  type TextStreamReader,
  Track,
} from "livekit-client";

import { CaptionBoard, type Block } from "./captions.ts";
import * as contract from "./contract.ts";
import { nearest } from "./languages.ts";
import { Level } from "./level.ts";
import type { Pass } from "./pass.ts";
import * as remembered from "./remembered.ts";
import { Sound } from "./sound.ts";
import { whyNoMicrophone, whyOver } from "./trouble.ts";
import { words } from "./words.ts";

const PATIENCE_MS = 20_000;
/** A command in the chat is answered within this. */
const ANSWER_MS = 10_000;
const FRAME_MS = 100;
const MOST_LINES = 500;

export interface Person {
  readonly identity: string;
  readonly name: string;
  readonly isMe: boolean;
  readonly isMuted: boolean;
  readonly isSpeaking: boolean;
  /** The language that they say they speak. */
  readonly speak: string | undefined;
}

export interface Interpreter {
  readonly identity: string;
  readonly state: string;
  readonly error: string;
}

export class Meeting {
  readonly people = signal<readonly Person[]>([]);
  readonly interpreter = signal<Interpreter | undefined>(undefined);
  /** Of the interpreter: not there yet, there, did not come in time, or has left. */
  readonly presence = signal<"awaited" | "here" | "absent" | "left">("awaited");
  readonly offered = signal<readonly string[]>([]);
  /** How this person is interpreted. */
  readonly ownStatus = signal(contract.NOT_HEARD);
  readonly captions = signal<readonly Block[]>([]);
  readonly chat = signal<readonly contract.ChatLine[]>([]);
  /** How many messages others have typed since the chat was last looked at. */
  readonly unread = signal(0);
  readonly isReconnecting = signal(false);
  readonly isSoundBlocked = signal(false);
  readonly isMicrophoneOn = signal(false);
  readonly isMicrophoneBusy = signal(false);
  readonly microphoneLevel = signal(0);
  /** What did not work just now, in a sentence; empty for nothing. */
  readonly trouble = signal("");
  readonly sound = new Sound();

  #room = new Room({ webAudioMix: false, stopLocalTrackOnUnpublish: true });
  #board = new CaptionBoard();
  /** Of all who were ever here, by identity: their words outlast them. */
  #names = new Map<string, string>();
  #endings: (() => void)[] = [];
  #microphone: Level | undefined;
  /** When this person last chose by the page's controls, and when by a command in the chat. */
  #choseAt = Number.NEGATIVE_INFINITY;
  #commandedAt = Number.NEGATIVE_INFINITY;
  #onEnd: (why: string | undefined) => void;

  /**
   * @param onEnd Called when the meeting is over for this person, with a sentence that says why, or
   *     nothing where they left.
   */
  constructor(onEnd: (why: string | undefined) => void) {
    this.#onEnd = onEnd;
    this.#follow();
  }

  /** The language that this person hears, or `original`. */
  get listen(): string {
    return remembered.listen.value || contract.ORIGINAL;
  }

  async join(pass: Pass): Promise<void> {
    await this.#room.connect(pass.url, pass.token);
    this.#every(FRAME_MS, () => this.#tick());
    const losing = window.setTimeout(() => this.#loseHope(), PATIENCE_MS);
    this.#endings.push(() => window.clearTimeout(losing));
    this.#endings.push(effect(() => this.sound.setBalance(remembered.balance.value)));
    this.#look();
    await this.#tell();
  }

  async leave(): Promise<void> {
    await this.#room.disconnect();
  }

  /** Hear a language, or the original, from now on. */
  async hear(language: string): Promise<void> {
    remembered.listen.value = language;
    this.sound.listenTo(language);
    await this.#tell();
  }

  /** Say which language this person speaks, or that it is to be detected. */
  async speak(language: string): Promise<void> {
    remembered.speak.value = language;
    await this.#tell();
  }

  async showCaptions(choice: contract.CaptionChoice): Promise<void> {
    remembered.captionChoice.value = choice;
    if (choice === "off") this.#board.clear();
    await this.#tell();
  }

  async write(text: string): Promise<boolean> {
    const to = this.interpreter.value?.identity;
    // a command is between this person and the interpreter
    const isCommand = text.startsWith("/") && to !== undefined;
    const readers = isCommand ? { destinationIdentities: [to] } : {};
    if (isCommand) this.#commandedAt = performance.now();
    try {
      const sent = await this.#room.localParticipant.sendText(text, { topic: contract.CHAT_TOPIC, ...readers });
      this.#addLine({
        id: sent.id,
        author: this.#room.localParticipant.identity,
        text,
        language: "",
        kind: "typed",
        at: sent.timestamp,
      });
      return true;
    } catch {
      this.trouble.value = words.trouble.message;
      return false;
    }
  }

  async turnMicrophone(isOn: boolean): Promise<void> {
    if (this.isMicrophoneBusy.value) return;
    this.isMicrophoneBusy.value = true;
    try {
      await this.#room.localParticipant.setMicrophoneEnabled(isOn);
      this.trouble.value = "";
    } catch (error) {
      this.trouble.value = whyNoMicrophone(error);
    } finally {
      this.isMicrophoneBusy.value = false;
      this.#look();
    }
  }

  async unblockSound(): Promise<void> {
    await this.#room.startAudio();
  }

  nameOf(identity: string): string {
    return this.#names.get(identity) ?? identity;
  }

  #follow(): void {
    const room = this.#room;
    const look = () => this.#look();
    for (const event of [
      RoomEvent.ParticipantConnected,
      RoomEvent.ParticipantDisconnected,
      RoomEvent.ParticipantNameChanged,
      RoomEvent.ParticipantAttributesChanged,
      RoomEvent.ActiveSpeakersChanged,
      RoomEvent.TrackMuted,
      RoomEvent.TrackUnmuted,
      RoomEvent.TrackPublished,
      RoomEvent.TrackUnpublished,
      RoomEvent.LocalTrackPublished,
      RoomEvent.LocalTrackUnpublished,
    ] as const) {
      room.on(event, look);
    }
    room
      .on(RoomEvent.TrackSubscribed, (track, publication, from) => this.#play(track, publication, from))
      .on(RoomEvent.TrackUnsubscribed, (track) => this.sound.remove(track as RemoteAudioTrack))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => (this.isSoundBlocked.value = !room.canPlaybackAudio))
      .on(RoomEvent.SignalReconnecting, () => (this.isReconnecting.value = true))
      .on(RoomEvent.Reconnecting, () => {
        this.isReconnecting.value = true;
        // who connects anew is told anew
        this.ownStatus.value = contract.NOT_HEARD;
      })
      .on(RoomEvent.Reconnected, () => {
        this.isReconnecting.value = false;
        void this.#tell();
      })
      .on(RoomEvent.Disconnected, (reason) => this.#end(reason));
    room.registerTextStreamHandler(contract.CAPTION_TOPIC, (reader, from) => void this.#read(reader, from.identity));
    room.registerTextStreamHandler(contract.CHAT_TOPIC, (reader, from) => void this.#hearChat(reader, from.identity));
    room.registerTextStreamHandler(contract.STATUS_TOPIC, (reader, from) => void this.#learn(reader, from.identity));
  }

  #look(): void {
    const room = this.#room;
    const remote = [...room.remoteParticipants.values()];
    const interpreter = remote.find(isInterpreter);
    for (const it of [room.localParticipant, ...remote]) this.#names.set(it.identity, it.name || it.identity);
    batch(() => {
      this.people.value = [room.localParticipant, ...remote.filter((it) => !it.isAgent)].map((it) => this.#person(it));
      this.#meet(interpreter);
      this.isMicrophoneOn.value = room.localParticipant.isMicrophoneEnabled;
    });
    this.#measureMicrophone();
  }

  #person(it: Participant): Person {
    return {
      identity: it.identity,
      name: it.name || it.identity,
      isMe: it.isLocal,
      isMuted: !it.isMicrophoneEnabled,
      isSpeaking: it.isSpeaking && it.isMicrophoneEnabled,
      speak: spokenBy(it),
    };
  }

  #meet(found: RemoteParticipant | undefined): void {
    if (found === undefined) {
      if (this.presence.value === "here") this.presence.value = "left";
      this.interpreter.value = undefined;
      this.ownStatus.value = contract.NOT_HEARD;
      return;
    }
    this.presence.value = "here";
    this.interpreter.value = {
      identity: found.identity,
      state: found.attributes[contract.STATE] ?? "",
      error: found.attributes[contract.ERROR] ?? "",
    };
    this.offered.value = contract.offeredBy(found.attributes);
    this.#chooseFirst();
  }

  /** Who has never chosen hears the language of their browser, where it is offered. */
  #chooseFirst(): void {
    if (remembered.listen.value !== "" || this.offered.value.length === 0) return;
    void this.hear(nearest(navigator.languages, this.offered.value) ?? contract.ORIGINAL);
  }

  /** Tell the interpreter what this person chose. */
  async #tell(): Promise<void> {
    this.#choseAt = performance.now();
    this.sound.listenTo(this.listen);
    if (this.#room.state !== ConnectionState.Connected) return;
    const chosen: Record<string, string> = {
      [contract.SPEAK]: remembered.speak.value,
      [contract.CAPTIONS]: remembered.captionChoice.value,
    };
    if (remembered.listen.value !== "") chosen[contract.LISTEN] = remembered.listen.value;
    try {
      await this.#room.localParticipant.setAttributes(chosen);
    } catch {
      this.trouble.value = words.trouble.choice;
    }
  }

  #play(track: RemoteTrack, publication: RemoteTrackPublication, from: RemoteParticipant): void {
    if (track.kind !== Track.Kind.Audio) return;
    this.sound.add(track as RemoteAudioTrack, publication.trackName, isInterpreter(from));
    this.#look();
  }

  async #read(reader: TextStreamReader, speaker: string): Promise<void> {
    let text = "";
    try {
      for await (const piece of reader) {
        text += piece;
        this.#showCaption(contract.readCaption(text, speaker, reader.info.id, reader.info.attributes ?? {}));
      }
      // what is told at the end of a stream is told of all of it
      this.#showCaption(contract.readCaption(text, speaker, reader.info.id, reader.info.attributes ?? {}));
    } catch {
      // it broke off, as a connection does: the next version of it comes
    }
  }

  #showCaption(caption: contract.Caption): void {
    if (remembered.captionChoice.value === "off") return;
    this.#board.take(caption, performance.now());
    this.#showBoard();
  }

  async #hearChat(reader: TextStreamReader, sender: string): Promise<void> {
    try {
      const text = await reader.readAll();
      const nameOf = (identity: string) => this.nameOf(identity);
      const line = contract.readChatLine(text, sender, reader.info, reader.info.attributes ?? {}, nameOf);
      this.#addLine(line);
      const isAnswer = performance.now() < this.#commandedAt + ANSWER_MS;
      if (isAnswer && line.author === this.interpreter.value?.identity) await this.#takeOver(line.author);
    } catch {
      // it broke off, as a connection does
    }
  }

  async #learn(reader: TextStreamReader, sender: string): Promise<void> {
    try {
      const text = await reader.readAll();
      // others may write on this topic as well
      if (sender === this.interpreter.value?.identity) this.ownStatus.value = contract.readStatus(text);
    } catch {
      // it broke off, as a connection does
    }
  }

  #addLine(line: contract.ChatLine): void {
    this.chat.value = [...this.chat.value, line].slice(-MOST_LINES);
    const isMine = line.author === this.#room.localParticipant.identity;
    if (line.kind === "typed" && !isMine) this.unread.value += 1;
  }

  #tick(): void {
    this.#showBoard();
    const level = this.#microphone?.now() ?? 0;
    // -60 dB is nothing, 0 dB is all
    this.microphoneLevel.value = level > 0 ? Math.max(0, 1 + Math.log10(level) / 3) : 0;
  }

  #showBoard(): void {
    const blocks = this.#board.blocks(performance.now());
    if (JSON.stringify(blocks) !== JSON.stringify(this.captions.value)) this.captions.value = blocks;
  }

  #measureMicrophone(): void {
    const track = this.#room.localParticipant.getTrackPublication(Track.Source.Microphone)?.audioTrack;
    const heard = this.isMicrophoneOn.value ? track?.mediaStreamTrack : undefined;
    if (heard === this.#microphone?.track) return;
    this.#microphone?.close();
    this.#microphone = heard && new Level(heard);
  }

  /** Take over what the interpreter was told by a command in the chat. */
  async #takeOver(interpreter: string): Promise<void> {
    try {
      const answer = await this.#room.localParticipant.performRpc({
        destinationIdentity: interpreter,
        method: contract.LANGUAGES_METHOD,
        payload: "",
      });
      if (this.#choseAt > this.#commandedAt) return;
      const { listen, speak } = contract.choicesIn(answer);
      if (listen !== undefined) remembered.listen.value = listen;
      if (speak !== undefined) remembered.speak.value = speak;
      this.sound.listenTo(this.listen);
    } catch {
      // an interpreter that does not know the method takes no commands
    }
  }

  #loseHope(): void {
    if (this.presence.value === "awaited") this.presence.value = "absent";
  }

  #every(milliseconds: number, doing: () => void): void {
    const timer = window.setInterval(doing, milliseconds);
    this.#endings.push(() => window.clearInterval(timer));
  }

  #end(reason: DisconnectReason | undefined): void {
    for (const end of this.#endings.splice(0)) end();
    this.#microphone?.close();
    this.sound.close();
    this.#onEnd(whyOver(reason));
  }
}

function isInterpreter(it: Participant): boolean {
  return it.kind === ParticipantKind.AGENT && contract.STATE in it.attributes;
}

function spokenBy(it: Participant): string | undefined {
  const code = it.attributes[contract.SPEAK] ?? it.attributes["language"];
  return code === undefined || code === contract.AUTO || code === "" ? undefined : code;
}
