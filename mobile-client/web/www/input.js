// Fingers, wheel and keys. A press by pointer goes to the canvas's own logic whatever element lies over it; a press without a pointer (a
// screen reader, the keyboard, a script) goes to the element.

import { stage, toCanvas } from './stage.js';

const WHEEL_LINE_PX = 40;
const POINTER_CLICK_MS = 1_000;

/** `page`: `handheld()`, `ratio()`, `after()`. */
export function listen(page) {
  let pointerAt = -Infinity;
  const now = () => performance.now();
  const pointer = (kind) => (event) => {
    if (event.pointerType === 'mouse' && event.button > 0) return;
    const [x, y] = toCanvas(event, page.ratio());
    page.handheld()[kind](now(), event.pointerId, x, y);
    page.after();
  };
  const down = pointer('pointer_down');
  const inField = (event) => event.target instanceof HTMLInputElement;
  const inNotice = (event) => event.target.closest('#notice') !== null;

  stage.addEventListener('pointerdown', (event) => {
    if (inNotice(event)) return;
    pointerAt = event.timeStamp;
    if (!inField(event)) {
      event.preventDefault();
      document.activeElement?.blur?.();
      stage.setPointerCapture(event.pointerId);
    }
    down(event);
  });
  stage.addEventListener('pointermove', pointer('pointer_move'));
  stage.addEventListener('pointerup', pointer('pointer_up'));
  stage.addEventListener('pointercancel', pointer('pointer_cancel'));
  stage.addEventListener('mousedown', (event) => {
    if (!inField(event) && !inNotice(event)) event.preventDefault();
  });
  stage.addEventListener('contextmenu', (event) => event.preventDefault());
  stage.addEventListener('click', (event) => {
    const button = event.target.closest('#outline button');
    const byPointer = event.detail > 0 && event.timeStamp - pointerAt < POINTER_CLICK_MS;
    if (!button || byPointer) return;
    page.handheld().activate(now(), button.item);
    page.after();
  });
  stage.addEventListener('wheel', (event) => {
    event.preventDefault();
    const [x, y] = toCanvas(event, page.ratio());
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : WHEEL_LINE_PX;
    page.handheld().wheel(x, y, Math.round(event.deltaY * unit * page.ratio()));
    page.after();
  }, { passive: false });
  // When a key went down, not when the page got round to it: a scanner is told from a person by that.
  addEventListener('keydown', (event) => key(event, page, event.timeStamp));
}

function key(event, page, now) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const handheld = page.handheld();
  const { activeElement } = document;
  if (activeElement instanceof HTMLInputElement) {
    if (event.key === 'Enter' || event.key === 'Escape') activeElement.blur();
    return;
  }
  if (activeElement?.closest('#notice')) return;
  const onButton = activeElement?.closest('#outline button');
  if (onButton && (event.key === ' ' || event.key === 'Enter') && !handheld.is_scanning()) return;
  if (handheld.key(now, event.key)) {
    event.preventDefault();
    page.after();
  }
}
