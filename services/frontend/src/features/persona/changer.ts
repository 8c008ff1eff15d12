/** What the parts of the policy's form share. */
import type { Form } from "@/lib/form";
import type { Draft } from "./api";

export interface PartProps {
  form: Form<Draft>;
}

/** Changes a part of a part. */
export function changer<Name extends keyof Draft>(form: Form<Draft>, name: Name) {
  return (change: Partial<Draft[Name]>) =>
    form.set(name, { ...(form.values[name] as object), ...(change as object) } as Draft[Name]);
}
