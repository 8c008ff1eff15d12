/** A form's state: values, what is wrong with each field, and the one submission that is under way. */
import { type FormEvent, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";

export interface Form<Values> {
  values: Values;
  set<Name extends keyof Values>(name: Name, value: Values[Name]): void;
  reset(values: Values): void;
  /** What the server said of a field: the message whose dotted name holds this one. */
  error(field: string): string | undefined;
  /** What could not be told at a field. */
  problem: Problem | null;
  busy: boolean;
  /** Whether what stands in it is not what was begun with, or stored last. */
  dirty: boolean;
  onSubmit(event?: FormEvent): Promise<void>;
}

/** Whether a name of the server's is of a field: it is named as in the body, dotted, perhaps below a parent or down to an item. */
export function isOf(name: string, field: string): boolean {
  return `.${name}.`.includes(`.${field}.`);
}

export function fieldMessage(problem: Problem | null, field: string): string | undefined {
  return problem?.errors.find((each) => isOf(each.field, field))?.message;
}

export function useForm<Values extends object>(
  initial: Values,
  submit: (values: Values) => Promise<unknown>,
): Form<Values> {
  const [values, setValues] = useState(initial);
  const [stored, setStored] = useState(initial);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  return {
    values,
    problem,
    busy,
    dirty: JSON.stringify(values) !== JSON.stringify(stored),
    set: (name, value) => setValues((before) => ({ ...before, [name]: value })),
    reset: (next) => {
      setValues(next);
      setStored(next);
      setProblem(null);
    },
    error: (field) => fieldMessage(problem, field),
    onSubmit: async (event) => {
      event?.preventDefault();
      if (busy) return;
      setBusy(true);
      setProblem(null);
      try {
        await submit(values);
        setStored((now) => (now === stored ? values : now)); // else it was begun anew meanwhile
      } catch (error) {
        setProblem(asProblem(error));
      } finally {
        setBusy(false);
      }
    },
  };
}
