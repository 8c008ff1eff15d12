export const BUDGETS: { readonly loader: number; readonly chat: number };
export function measure(): {
  readonly loader: number;
  readonly chat: number;
  readonly languages: Record<string, number>;
};
