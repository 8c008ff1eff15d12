/** What the server said of a part of the rule, beneath it. */
import { useMessage } from "./context";

export function PlaceMessage({ place }: { place: string }) {
  const message = useMessage(place);
  if (!message) return null;
  return (
    <p role="alert" className="mt-1 text-xs text-bad">
      {message}
    </p>
  );
}
