/** `@xin-platform/widget-sdk`: the widget as a module. */

import type { Widget, WidgetOptions } from "../public";
import { createWidget as createShell } from "../shell/widget";

export type * from "../public";

/** Put a widget on the page. The chat itself is loaded when it is first wanted. */
export function createWidget(options: WidgetOptions): Widget {
  return createShell(options, () => import("../chat/main"));
}
