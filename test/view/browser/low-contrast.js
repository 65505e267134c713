// Runs in the page: texts whose contrast to what is behind them is below 4.5, as WCAG counts it.
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    if (canvas === null) return [0, 0, 0, 255];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r = 0, g = 0, b = 0]) => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  for (const element of document.querySelectorAll('button, td, th, h1, h2, h3, p, span, summary, label')) {
    if (element.textContent.trim() === '' || element.closest('svg') !== null) continue;
    const style = getComputedStyle(element);
    let behind = [0, 0, 0, 0];
    for (let one = element; one !== null && (behind[3] ?? 0) < 255; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if ((color[3] ?? 0) === 255) behind = color;
    }
    const [light = 0, dark = 0] = [luminance(rgba(style.color)), luminance(behind)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push(`${element.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return found;
})();
