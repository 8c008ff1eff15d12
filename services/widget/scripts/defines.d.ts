export const defines: Readonly<Record<string, string>>;
