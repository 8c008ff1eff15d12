import { expect, it } from "vitest";
import { lastDays } from "./api";

it("counts days as the tenant's clock does", () => {
  const late = new Date("2026-11-26T23:51:00Z");
  expect(lastDays(7, "Europe/Madrid", late)).toEqual({ from: "2026-11-21", to: "2026-11-27" });
  expect(lastDays(1, "America/Lima", late)).toEqual({ from: "2026-11-26", to: "2026-11-26" });
});
