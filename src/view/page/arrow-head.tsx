/** The head of arrows. Each drawing has its own: it is looked at, and saved, without the others. */
import type { JSX } from 'preact';

/** The head, to be named as `url(#<id>)` in the drawing that it stands in. */
export function ArrowHead({ id }: { readonly id: string }): JSX.Element {
  return (
    <defs>
      <marker id={id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
        <path d="M0,0L8,4L0,8z" />
      </marker>
    </defs>
  );
}
