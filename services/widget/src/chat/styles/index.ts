import controls from "./controls.css?inline";
import messages from "./messages.css?inline";
import panel from "./panel.css?inline";

export default [panel, messages, controls] as const;
