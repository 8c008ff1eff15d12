/** A soft sound and a number in the page's title, for a visitor who is looking elsewhere. */

const NOTES_HZ = [660, 880];

export class Attention {
  #audio: AudioContext | null = null;
  #mark = "";
  readonly #onShown = () => document.hidden || this.title(null);

  constructor() {
    document.addEventListener("visibilitychange", this.#onShown);
  }

  /** Two short notes, unless the visitor is reading or has not touched the page yet. */
  sound(): void {
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    if (!navigator.userActivation?.hasBeenActive) return;
    this.#audio ??= new AudioContext();
    const { currentTime, destination } = this.#audio;
    NOTES_HZ.forEach((frequency, index) => {
      const audio = this.#audio as AudioContext;
      const tone = new OscillatorNode(audio, { type: "sine", frequency });
      const volume = new GainNode(audio, { gain: 0 });
      const at = currentTime + index * 0.12;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.08, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.35);
      tone.connect(volume).connect(destination);
      tone.start(at);
      tone.stop(at + 0.4);
    });
  }

  /** Put a mark before the page's title, or take it away. A title that the page changes meanwhile stays the page's. */
  title(mark: string | null): void {
    const bare =
      this.#mark && document.title.startsWith(this.#mark) ? document.title.slice(this.#mark.length) : document.title;
    this.#mark = mark ? `(${mark}) ` : "";
    const wanted = this.#mark + bare;
    if (document.title !== wanted) document.title = wanted;
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#onShown);
    this.title(null);
    void this.#audio?.close();
  }
}
