import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import { renderIn } from "../../../tests/render";
import type { Channel } from "./api";
import { Credentials } from "./channel-page";

const changeChannel = vi.hoisted(() => vi.fn());
vi.mock("./api", async (load) => ({ ...(await load<typeof import("./api")>()), changeChannel }));
vi.mock("@/app/leave-guard", () => ({ LeaveGuard: () => null }));

const credentials = { bot_token: "••••6789", api_url: "https://api.telegram.org", mode: "polling" };
const channel = { id: "c", channel_type: "telegram", display_name: "Bot", credentials } as unknown as Channel;

it("asks for a masked secret again when the platform would send it to another place", async () => {
  const message = "must be given anew, for it would be sent to another place (api_url)";
  const errors = [{ field: "credentials.bot_token", message }];
  changeChannel.mockRejectedValueOnce(new Problem(422, "secret_needed", message, errors));
  renderIn(<Credentials channel={channel} />);
  const token = screen.getByLabelText("Bot token");
  expect(token).toHaveValue("••••6789");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(token).toBeInvalid();
  expect(token).toHaveAccessibleDescription(/Enter it again/);
  await userEvent.clear(token);
  await userEvent.type(token, "1:a");
  changeChannel.mockResolvedValueOnce(undefined);
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(changeChannel).toHaveBeenLastCalledWith(
    "c",
    expect.objectContaining({ credentials: expect.objectContaining({ bot_token: "1:a" }) }),
  );
});
