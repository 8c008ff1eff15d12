/** A React host: compiled in tests, never run. */
import { useXinWidget, XinWidgetProvider } from "@xin-platform/widget-sdk/react";

function Help() {
  const widget = useXinWidget();
  return (
    <button type="button" disabled={widget === null} onClick={() => widget?.open()}>
      Help
    </button>
  );
}

export function App() {
  return (
    <XinWidgetProvider
      options={{
        tenantId: "TENANT_UUID",
        apiBaseUrl: "https://api.xinbot.ir",
        gatewayUrl: "wss://gateway.xinbot.ir",
        locale: "en",
      }}
    >
      <Help />
    </XinWidgetProvider>
  );
}

export const Wrong = () => (
  // @ts-expect-error an option that does not exist
  <XinWidgetProvider options={{ tenantId: "t", apiBaseUrl: "https://api.example.com", colour: "red" }} />
);
