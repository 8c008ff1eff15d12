/** Joins class names. Components stand in their own style layer, so a utility beside them wins (see styles.css). */
export { clsx as cx } from "clsx";
