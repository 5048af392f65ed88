// Where the screen is on the page, in whole device pixels. A phone is filled; a wider page shows a phone, or what `?size=1280x800` asks
// for, or with `?size=full` all of it.

const PHONE = { w: 360, h: 720 };
const FRAME_FROM_PX = 600;
const MARGIN_PX = 24;
const SIDES_PX = { least: 64, most: 8192 };

const body = document.body;
const stage = document.getElementById('stage');
export const canvas = document.getElementById('screen');
export const context = canvas.getContext('2d', { alpha: false });

function wanted() {
  const asked = new URLSearchParams(location.search).get('size');
  const sides = /^(\d{2,4})x(\d{2,4})$/.exec(asked ?? '');
  if (sides) return { w: Number(sides[1]), h: Number(sides[2]) };
  const framed = asked !== 'full' && innerWidth >= FRAME_FROM_PX && matchMedia('(pointer: fine)').matches;
  return framed ? { w: PHONE.w, h: Math.max(480, Math.min(PHONE.h, innerHeight - 2 * MARGIN_PX)) } : null;
}

/** Places the stage; returns the canvas's size in device pixels, and device pixels per CSS pixel. */
export function layOut() {
  const ratio = devicePixelRatio || 1;
  const frame = wanted();
  const pixels = (length) => Math.min(SIDES_PX.most, Math.max(SIDES_PX.least, Math.round(length * ratio)));
  const width = pixels(frame?.w ?? innerWidth);
  const height = pixels(frame?.h ?? innerHeight);
  const fits = frame && innerWidth >= frame.w + MARGIN_PX && innerHeight >= frame.h + MARGIN_PX;
  const aligned = (room, taken) => Math.max(0, Math.floor((room * ratio - taken) / 2)) / ratio;
  body.classList.toggle('framed', Boolean(fits));
  stage.style.left = `${frame ? aligned(innerWidth, width) : 0}px`;
  stage.style.top = `${frame ? aligned(innerHeight, height) : 0}px`;
  stage.style.width = canvas.style.width = `${width / ratio}px`;
  stage.style.height = canvas.style.height = `${height / ratio}px`;
  return { width, height, ratio };
}

/** A point of the page in device pixels of the canvas. */
export function toCanvas(event, ratio) {
  const box = stage.getBoundingClientRect();
  return [Math.floor((event.clientX - box.left) * ratio), Math.floor((event.clientY - box.top) * ratio)];
}

export { stage };
