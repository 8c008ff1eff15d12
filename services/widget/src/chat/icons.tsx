import type { JSX } from "preact";

/** Drawn on a grid of 24, with a line of 1.8; those that point somewhere are mirrored with the writing (`flips`). */
const PATHS = {
  close: "m6 6 12 12M18 6 6 18",
  down: "m6 9.5 6 6 6-6",
  back: "m14.5 6-6 6 6 6",
  next: "m9.5 6 6 6-6 6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19.5V5m0 0-6 6m6-6 6 6",
  attach: "m20 11.5-8.3 8.3a5.3 5.3 0 0 1-7.5-7.5l8.6-8.6a3.5 3.5 0 0 1 5 5l-8.5 8.5a1.8 1.8 0 0 1-2.5-2.5l7.8-7.8",
  file: "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8l-5-5Zm0 0v5h5",
  download: "M12 4v11m0 0-4.5-4.5M12 15l4.5-4.5M5 20h14",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.5 8a7.5 7.5 0 0 1 15 0",
  plus: "M12 5v14M5 12h14",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-13.5V12l3 2",
  mail: "M4 6.5h16v11H4zm0 .5 8 6 8-6",
  ticket: "M5 5h14v9a2 2 0 0 1-2 2H9l-4 4V5Zm4 4h6m-6 3h4",
  finish: "m5 12.5 4.5 4.5L19 7.5",
  sound: "M5 10v4h3l4 3.5v-11L8 10H5Zm10.5-1.5a5 5 0 0 1 0 7M18 6a8.5 8.5 0 0 1 0 12",
  mute: "M5 10v4h3l4 3.5v-11L8 10H5Zm11 0 4 4m0-4-4 4",
  link: "M10 14 20 4m0 0h-6m6 0v6M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
  retry: "M19 12a7 7 0 1 1-2-4.9M19 4v4h-4",
  book: "M5 5.5A1.5 1.5 0 0 1 6.5 4H19v13H6.5A1.5 1.5 0 0 0 5 18.5m0-13v13A1.5 1.5 0 0 0 6.5 20H19",
  spark: "M12 4c.6 4.5 3 7 8 8-5 1-7.4 3.5-8 8-.6-4.5-3-7-8-8 5-1 7.4-3.5 8-8Z",
} as const;

const FLIPS: ReadonlySet<IconName> = new Set(["back", "next", "attach", "link", "sound", "mute"]);

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      class={FLIPS.has(name) ? "icon flips" : "icon"}
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 2.6 : 1.8}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
