/** Saving a drawing of the page as a file: SVG, with the styles that it has here written into it, or PNG. */

/** Style properties that a drawing needs where there is no style sheet. */
const properties = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
];

/** The drawing as the text of an SVG file, with what it has above its top: `data-above`, px. */
export function standalone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const own = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, index) => {
    const source = own[index];
    if (source === undefined || element.tagName === 'title') return;
    const style = getComputedStyle(source);
    for (const name of properties) {
      const value = style.getPropertyValue(name);
      if (value !== '') element.setAttribute(name, value);
    }
    element.removeAttribute('class');
    element.removeAttribute('style');
  });
  copy.removeAttribute('class');
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const above = Number(copy.dataset['above'] ?? 0);
  if (above > 0) {
    const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value + above];
    copy.setAttribute('height', String(height));
    copy.setAttribute('viewBox', `0 ${-above} ${width} ${height}`);
    delete copy.dataset['above'];
  }
  const back = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  back.setAttribute('y', String(-above));
  back.setAttribute('width', '100%');
  back.setAttribute('height', '100%');
  back.setAttribute('fill', getComputedStyle(document.body).backgroundColor);
  copy.insertBefore(back, copy.firstChild);
  return new XMLSerializer().serializeToString(copy);
}

function download(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

/** Saves the drawing under `name`, without its ending. */
export function saveDrawing(svg: SVGSVGElement, name: string, as: 'png' | 'svg'): void {
  const text = standalone(svg);
  const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  if (as === 'svg') {
    download(url, `${name}.svg`);
    return;
  }
  const image = new Image();
  image.onload = () => {
    // Twice as fine as a screen; no larger than browsers take.
    const scale = Math.min(2, 8_000 / Math.max(image.width, image.height));
    const canvas = document.createElement('canvas');
    canvas.width = image.width * scale;
    canvas.height = image.height * scale;
    const context = canvas.getContext('2d');
    context?.scale(scale, scale);
    context?.drawImage(image, 0, 0);
    download(canvas.toDataURL('image/png'), `${name}.png`);
  };
  image.src = url;
}
