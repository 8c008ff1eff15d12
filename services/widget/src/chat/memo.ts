import { Component, type ComponentType, createElement, type JSX } from "preact";

/** Return a component that is drawn again only when one of its properties is another: a long thread grows by one word. */
export function memo<P extends object>(inner: ComponentType<P>): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return keys.some((key) => next[key] !== (this.props as P)[key]);
    }

    override render(): JSX.Element {
      return createElement(inner, this.props as P);
    }
  };
}
