/** `@xin-platform/widget-sdk/react`: the widget for the life of a part of a React tree. */

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";
import type { Widget, WidgetOptions } from "../public";
import { createWidget } from "./index";

export type * from "../public";

const Context = createContext<Widget | null>(null);

export interface XinWidgetProviderProps {
  readonly options: WidgetOptions;
  readonly children?: ReactNode;
}

/**
 * Puts the widget on the page while it is mounted. A new locale is taken on; another tenant, brand or address begins a new
 * widget; whoever else speaks is told by `identify`.
 */
export function XinWidgetProvider({ options, children }: XinWidgetProviderProps): ReactElement {
  const [widget, setWidget] = useState<Widget | null>(null);
  const latest = useRef(options);
  latest.current = options;
  const { tenantId, apiBaseUrl, gatewayUrl, brandId, locale } = options;
  const identity = [tenantId, apiBaseUrl, gatewayUrl, brandId].join("\n");

  // The identity stands for the options that begin a new widget; the others are those of its beginning.
  useEffect(() => {
    const created = createWidget(latest.current);
    setWidget(created);
    return () => {
      setWidget(null);
      created.destroy();
    };
  }, [identity]);

  useEffect(() => {
    if (locale) widget?.setLocale(locale);
  }, [widget, locale]);

  return createElement(Context.Provider, { value: widget }, children);
}

/** The widget of the nearest provider; null until it is on the page. */
export function useXinWidget(): Widget | null {
  return useContext(Context);
}
