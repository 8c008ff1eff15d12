/** The time zones to choose from; the present one is always among them. */
export function timeZones(present: string): { value: string; label: string }[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...new Set(["UTC", present, ...known])].map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));
}
