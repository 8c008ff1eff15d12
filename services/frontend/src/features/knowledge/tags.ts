/** Tags as they are typed: with commas, Persian ones too. */
export function splitTags(typed: string): string[] {
  return [
    ...new Set(
      typed
        .split(/[,،\n]/)
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}
