/** A form's state: values, what is wrong with each field, and the one submission that is under way. */
import { type FormEvent, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";

export interface Form<Values> {
  values: Values;
  set<Name extends keyof Values>(name: Name, value: Values[Name]): void;
  reset(values: Values): void;
  /** What the server said of a field: the message whose dotted name is this or ends with it. */
  error(field: string): string | undefined;
  /** What could not be told at a field. */
  problem: Problem | null;
  busy: boolean;
  onSubmit(event?: FormEvent): Promise<void>;
}

/** The message for a field: the server names it as in the body, dotted, perhaps below a parent. */
export function fieldMessage(problem: Problem | null, field: string): string | undefined {
  const matches = (name: string) => name === field || name.endsWith(`.${field}`) || name.startsWith(`${field}.`);
  return problem?.errors.find((each) => matches(each.field))?.message;
}

export function useForm<Values extends object>(
  initial: Values,
  submit: (values: Values) => Promise<unknown>,
): Form<Values> {
  const [values, setValues] = useState(initial);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  return {
    values,
    problem,
    busy,
    set: (name, value) => setValues((before) => ({ ...before, [name]: value })),
    reset: (next) => {
      setValues(next);
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
      } catch (error) {
        setProblem(asProblem(error));
      } finally {
        setBusy(false);
      }
    },
  };
}
