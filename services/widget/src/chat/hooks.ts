import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { ChatState } from "../core/state";
import type { Store } from "../core/store";
import type { Words } from "../i18n";
import type { ChatModel, Screen } from "./model";

export const Model = createContext<ChatModel | null>(null);

export function useModel(): ChatModel {
  const model = useContext(Model);
  if (!model) throw new Error("no model");
  return model;
}

function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    setValue(store.value);
    return store.subscribe(setValue);
  }, [store]);
  return value;
}

export const useChat = (): ChatState => useStore(useModel().client.state);
export const useScreen = (): Screen => useStore(useModel().screen);
export const useWords = (): Words => useScreen().words;

/** Whether a media query holds, now and later. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const follow = () => setMatches(list.matches);
    follow();
    list.addEventListener("change", follow);
    return () => list.removeEventListener("change", follow);
  }, [query]);
  return matches;
}
