/** Adding a note; the timeline shows it as soon as it is stored. */
import { useQueryClient } from "@tanstack/react-query";
import { toast } from "@/ui/toast";
import { addNote, keys } from "./api";

export function useNotes(conversationId: string) {
  const queries = useQueryClient();
  return {
    add: async (text: string, mentions: string[]) => {
      try {
        await addNote(conversationId, text, mentions);
        await queries.invalidateQueries({ queryKey: keys.notes(conversationId) });
      } catch (error) {
        toast.failed(error);
        throw error;
      }
    },
  };
}
