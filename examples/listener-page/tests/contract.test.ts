/** What comes under the names of the room contract. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  NOT_HEARD,
  choicesIn,
  languageOfTrack,
  offeredBy,
  readCaption,
  readChatLine,
  readStatus,
} from "../src/contract.ts";
import { nearest, ownName } from "../src/languages.ts";

test("a track says its language, for all or for one listener or of one speaker", () => {
  const names = ["translation_es", "translation_pt-br/ana", "translation_zh-hant@bruno@home", "microphone"];
  assert.deepEqual(names.map(languageOfTrack), ["es", "pt-br", "zh-hant", undefined]);
});

test("the offer is a list of codes", () => {
  assert.deepEqual(offeredBy({ "palabra.languages": "en,es" }), ["en", "es"]);
  assert.deepEqual(offeredBy({}), []);
});

test("a caption without facts is a partial original of its own", () => {
  assert.deepEqual(readCaption("Hi", "ana", "stream-1", {}), {
    id: "stream-1",
    speaker: "ana",
    text: "Hi",
    language: "",
    isTranslation: false,
    isFinal: false,
  });
});

test("a chat line of what was said belongs to the speaker, without their name in the text", () => {
  const told = { "palabra.kind": "translation", "palabra.speaker": "ana-1", language: "es" };
  const stream = { id: "1", timestamp: 5 };
  const line = readChatLine("Ana: Hola: a todos", "palabra-interpreter", stream, told, () => "Ana");
  assert.equal(line.author, "ana-1");
  assert.equal(line.text, "Hola: a todos");
  assert.equal(line.kind, "spoken");
  const translated = { ...told, "palabra.typed": "true" };
  assert.equal(readChatLine("Ana: Hola", "palabra-interpreter", stream, translated, () => "Ana").kind, "translated");
  const typed = readChatLine("Ana: no", "bruno", stream, {}, () => "Ana");
  assert.deepEqual([typed.author, typed.text, typed.kind], ["bruno", "Ana: no", "typed"]);
});

test("what the interpreter takes a person to hear and speak is read where it is told", () => {
  assert.deepEqual(choicesIn('{"languages":["es"],"listen":"es","speak":"auto"}'), { listen: "es", speak: "auto" });
  for (const answer of ["", "[]", '{"listen":5}']) assert.deepEqual(choicesIn(answer), {});
});

test("what a speaker is told of their interpretation is read where it is told", () => {
  assert.deepEqual(readStatus('{"listeners":2,"lag_seconds":4,"seconds_left":1}'), { listeners: 2, lag: 4, left: 1 });
  assert.deepEqual(readStatus('{"listeners":1,"lag_seconds":0}'), { listeners: 1, lag: 0, left: undefined });
  for (const text of ["", "null", '{"listeners":"2"}']) assert.deepEqual(readStatus(text), NOT_HEARD);
});

test("languages are called as they call themselves", () => {
  assert.deepEqual(["es", "de", "en", "fr", "not a code"].map(ownName), [
    "Español",
    "Deutsch",
    "English",
    "Français",
    "not a code",
  ]);
});

test("a browser's language is met by the nearest that is offered", () => {
  assert.equal(nearest(["pt-PT", "en"], ["en", "pt-br"]), "pt-br");
  assert.equal(nearest(["es-MX", "es"], ["es", "es-mx"]), "es-mx");
  assert.equal(nearest(["zh-TW"], ["zh-hans"]), undefined);
  assert.equal(nearest(["zh-TW"], ["zh-hant"]), "zh-hant");
  assert.equal(nearest(["en_US.UTF-8", "fr"], ["de"]), undefined);
});
