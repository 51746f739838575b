/** How loud a track is at this moment. */

let context: AudioContext | undefined;

/** Let the browser measure sound; to be called when a person has clicked something. */
export function allowSound(): void {
  context ??= new AudioContext();
  void context.resume();
}

export class Level {
  readonly track: MediaStreamTrack;
  #source: MediaStreamAudioSourceNode;
  #analyser: AnalyserNode;
  #samples: Float32Array<ArrayBuffer>;

  constructor(track: MediaStreamTrack) {
    this.track = track;
    context ??= new AudioContext();
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 2048;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source.connect(this.#analyser);
  }

  /** The root mean square of the last 43 ms, 0 to 1. */
  now(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return Math.sqrt(sum / this.#samples.length);
  }

  close(): void {
    this.#source.disconnect();
  }
}
