/** What every part of the editor needs: the tenant's things, what the server said, what texts may name. */
import { createContext, useContext } from "react";
import { type Lookups, NO_LOOKUPS } from "../lookups";
import { messageAt, type Places } from "../model/places";
import type { Trigger } from "../model/vocabulary";

interface Editing {
  lookups: Lookups;
  places: Places;
  trigger: Trigger;
  variables: readonly string[];
  /** Asked by what a disabled fieldset does not switch off. */
  mayEdit: boolean;
}

export const EditingContext = createContext<Editing>({
  lookups: NO_LOOKUPS,
  places: {},
  trigger: { type: "event", name: [] },
  variables: [],
  mayEdit: false,
});

export function useEditing(): Editing {
  return useContext(EditingContext);
}

/** What the server said of a place in the document, or of something in it. */
export function useMessage(place: string): string | undefined {
  return messageAt(useEditing().places, place);
}
