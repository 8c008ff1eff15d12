import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import { Field, FormProblem, Input } from "@/ui/field";
import { renderIn } from "../../tests/render";
import { useForm } from "./form";

function Sample({ submit }: { submit: (values: { name: string }) => Promise<unknown> }) {
  const form = useForm({ name: "" }, submit);
  return (
    <form onSubmit={form.onSubmit}>
      <FormProblem problem={form.problem} shown={["name"]} />
      <Field label="Name" error={form.error("name")}>
        <Input value={form.values.name} onChange={(event) => form.set("name", event.target.value)} />
      </Field>
      <button type="submit" disabled={form.busy}>
        Save
      </button>
      <output>{form.dirty ? "changed" : "stored"}</output>
    </form>
  );
}

it("shows what is wrong with a field at the field, for screen readers too", async () => {
  const problem = new Problem(422, "invalid_input", "name: too short", [
    { field: "name", message: "must hold at least 3 characters" },
  ]);
  renderIn(<Sample submit={() => Promise.reject(problem)} />);
  await userEvent.type(screen.getByLabelText("Name"), "ab");
  await userEvent.click(screen.getByRole("button"));
  const field = screen.getByLabelText("Name");
  expect(field).toHaveAccessibleDescription("must hold at least 3 characters");
  expect(field).toBeInvalid();
  expect(screen.getAllByRole("alert")).toHaveLength(1);
});

it("shows at the top what belongs to no field", async () => {
  renderIn(<Sample submit={() => Promise.reject(new Problem(409, "conflict", "Another brand has this name"))} />);
  await userEvent.click(screen.getByRole("button"));
  expect(await screen.findByText("Another brand has this name")).toBeVisible();
});

it("says a network that is away in words", async () => {
  renderIn(<Sample submit={() => Promise.reject(new TypeError("Failed to fetch"))} />);
  await userEvent.click(screen.getByRole("button"));
  expect(await screen.findByText(/cannot be reached/)).toBeVisible();
});

it("submits once however often it is pressed", async () => {
  const submit = vi.fn(() => new Promise(() => undefined));
  renderIn(<Sample submit={submit} />);
  await userEvent.dblClick(screen.getByRole("button"));
  expect(submit).toHaveBeenCalledTimes(1);
});

it("knows what is not stored yet", async () => {
  renderIn(<Sample submit={() => Promise.resolve()} />);
  expect(screen.getByRole("status")).toHaveTextContent("stored");
  await userEvent.type(screen.getByLabelText("Name"), "ab");
  expect(screen.getByRole("status")).toHaveTextContent("changed");
  await userEvent.click(screen.getByRole("button"));
  expect(await screen.findByText("stored")).toBeVisible();
});
