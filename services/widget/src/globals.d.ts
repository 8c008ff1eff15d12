/** The version of this package, put in by the build. */
declare const __VERSION__: string;
/** The chat's file beside `embed.js`, put in by the build. */
declare const __CHAT_FILE__: string;
/** The button's name by language, put in by the build. */
declare const __LAUNCHER_LABELS__: Readonly<Record<string, string>>;
