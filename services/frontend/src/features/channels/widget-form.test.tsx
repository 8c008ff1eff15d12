import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import { renderIn } from "../../../tests/render";
import type { Channel } from "./api";
import { WidgetForm } from "./widget-form";

const changeChannel = vi.hoisted(() => vi.fn());
vi.mock("./api", async (load) => ({ ...(await load<typeof import("./api")>()), changeChannel }));
vi.mock("@/app/leave-guard", () => ({ LeaveGuard: () => null }));

const question = {
  name: "order_number",
  type: "text",
  label: { en: "Your order number" },
  required: false,
  options: [],
};
const uploads = { max_bytes: 1_048_576, types: [".pdf"] };
const channel = { id: "c", widget: { uploads, pre_chat: { enabled: true, fields: [question] } } } as unknown as Channel;

const show = () => renderIn(<WidgetForm channel={channel} mayEdit />);

const refuse = (...errors: [field: string, message: string][]) =>
  changeChannel.mockRejectedValueOnce(
    new Problem(
      422,
      "invalid_input",
      "widget: wrong",
      errors.map(([field, message]) => ({ field, message })),
    ),
  );
const save = () => userEvent.click(screen.getByRole("button", { name: "Save" }));

it("says what is wrong at the field, under the name that it has on the page", async () => {
  refuse(
    ["widget.locales.0", "must be a language such as en or pt-BR"],
    ["widget.uploads.max_bytes", "must be at most 52428800"],
    ["widget.pre_chat.fields.0.name", "is a name that is taken"],
    ["widget.pre_chat.fields.0", "a question with a choice needs options"],
    ["widget.pre_chat", "each question needs a name of its own"],
  );
  show();
  await save();
  expect(screen.getByLabelText("Languages")).toHaveAccessibleDescription(/must be a language such as en or pt-BR/);
  expect(screen.getByLabelText("Languages")).toBeInvalid();
  expect(screen.getByLabelText("Languages")).toHaveFocus();
  expect(screen.getByLabelText("Maximum file size, MB")).toHaveAccessibleDescription("must be at most 52428800");
  expect(screen.getByLabelText("Name")).toHaveAccessibleDescription(/is a name that is taken/);
  expect(within(screen.getByRole("listitem")).getByText("a question with a choice needs options")).toBeVisible();
  expect(screen.getByText("each question needs a name of its own")).toBeVisible();
  expect(screen.queryByText(/widget/i)).toBeNull();
});

it("says at the end what no field shows", async () => {
  refuse(["widget.features.sound", "must be true or false"]);
  show();
  await save();
  expect(screen.getByRole("alert")).toHaveTextContent("Widget: wrong");
});

it("tells what a question's name is for, and takes its label in more languages", async () => {
  changeChannel.mockResolvedValue({});
  show();
  const name = screen.getByLabelText("Name");
  expect(name).toHaveAccessibleDescription(/Up to 40 of a-z, 0-9 and _/);
  expect(name).toHaveAttribute("title", expect.stringMatching(/a letter first/));
  const label = within(screen.getByRole("group", { name: "Label" }));
  await userEvent.click(label.getByRole("button", { name: "Add a language" }));
  await userEvent.type(label.getByLabelText("Persian"), "شمارهٔ سفارش");
  await userEvent.selectOptions(label.getByRole("combobox"), "de");
  await userEvent.click(label.getByRole("button", { name: "Add a language" }));
  await save();
  const [, sent] = changeChannel.mock.lastCall ?? [];
  expect(sent.widget.pre_chat.fields[0].label).toEqual({ en: "Your order number", fa: "شمارهٔ سفارش" });
});
