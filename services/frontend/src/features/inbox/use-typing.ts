/** Tells the visitor that somebody writes: at most every few seconds, and when it stopped. */
import { useEffect, useRef } from "react";
import { setTyping } from "./api";

const EVERY_MS = 3000;

export function useTypingSignal(conversationId: string) {
  const told = useRef(0);
  const tell = (active: boolean) => void setTyping(conversationId, active).catch(() => undefined);
  const stopped = () => {
    if (told.current === 0) return;
    told.current = 0;
    tell(false);
  };
  const latest = useRef(stopped);
  latest.current = stopped;
  useEffect(() => () => latest.current(), []);
  return {
    typed: (text: string) => {
      if (text === "") return stopped();
      if (Date.now() - told.current < EVERY_MS) return;
      told.current = Date.now();
      tell(true);
    },
    stopped,
  };
}
