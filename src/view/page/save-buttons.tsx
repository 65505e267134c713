/** Two small buttons: this drawing as a file. */
import type { JSX, TargetedMouseEvent } from 'preact';
import { saveDrawing } from './save.ts';

/** Saves the drawing in the pane that the buttons stand in. */
export function SaveButtons({ name }: { readonly name: string }): JSX.Element {
  const save = (as: 'png' | 'svg') => (event: TargetedMouseEvent<HTMLButtonElement>) => {
    const svg = event.currentTarget.closest('.pane')?.querySelector<SVGSVGElement>('.scroll svg');
    if (svg !== null && svg !== undefined) saveDrawing(svg, name, as);
  };
  return (
    <span class="save">
      <button type="button" onClick={save('svg')} aria-label={`Save ${name} as SVG`}>
        SVG
      </button>
      <button type="button" onClick={save('png')} aria-label={`Save ${name} as PNG`}>
        PNG
      </button>
    </span>
  );
}
