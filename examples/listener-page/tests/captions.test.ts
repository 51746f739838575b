/** The captions that can be read at a moment. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { CaptionBoard } from "../src/captions.ts";
import type { Caption } from "../src/contract.ts";

function caption(text: string, more: Partial<Caption> = {}): Caption {
  return { id: "1", speaker: "ana", text, language: "es", isTranslation: true, isFinal: true, ...more };
}

function texts(board: CaptionBoard, now: number): string[] {
  return board.blocks(now).map((block) => block.text);
}

test("a partial text is revised in place, and a late one does not undo the final", () => {
  const board = new CaptionBoard();
  board.take(caption("Hola", { isFinal: false }), 0);
  board.take(caption("Hola a", { isFinal: false }), 100);
  assert.deepEqual(texts(board, 100), ["Hola a"]);
  board.take(caption("Hola a todos."), 200);
  board.take(caption("Hola a tod", { isFinal: false }), 300);
  assert.deepEqual(texts(board, 300), ["Hola a todos."]);
});

test("what a speaker goes on to say follows on", () => {
  const board = new CaptionBoard();
  board.take(caption("Hola."), 0);
  board.take(caption("¿Qué tal?", { id: "2" }), 500);
  assert.deepEqual(texts(board, 500), ["Hola. ¿Qué tal?"]);
});

test("a caption goes when there was time to read it", () => {
  const board = new CaptionBoard();
  board.take(caption("x".repeat(34)), 0); // two seconds to read, and a breath
  assert.equal(texts(board, 4400).length, 1);
  assert.deepEqual(texts(board, 4500), []);
});

test("of many speakers the two who spoke last are read, each under their name", () => {
  const board = new CaptionBoard();
  for (const speaker of ["ana", "bruno", "carla"]) board.take(caption(speaker, { id: speaker, speaker }), 0);
  assert.deepEqual(
    board.blocks(1).map((block) => block.speaker),
    ["bruno", "carla"],
  );
});

test("an original stands above its translation, whichever came first", () => {
  const board = new CaptionBoard();
  board.take(caption("Hola", { id: "es" }), 0);
  board.take(caption("Hello", { id: "en", language: "en", isTranslation: false }), 1);
  assert.deepEqual(texts(board, 2), ["Hello", "Hola"]);
});

test("empty texts are not shown", () => {
  const board = new CaptionBoard();
  board.take(caption(" "), 0);
  assert.deepEqual(texts(board, 1), []);
});
