// What a page may ask of the device that it runs on.

/** Keeps the display on while the page is seen, where the browser can. */
export function keepAwake() {
  const ask = () => {
    if (!document.hidden) navigator.wakeLock?.request('screen').catch(() => {});
  };
  document.addEventListener('visibilitychange', ask);
  addEventListener('pointerdown', ask, { once: true });
  ask();
}

/** In the installed app, the back key goes back on the screen and does not leave. */
export function keepBack(back) {
  if (!matchMedia('(display-mode: standalone), (display-mode: fullscreen)').matches) return;
  history.pushState(null, '');
  addEventListener('popstate', () => {
    history.pushState(null, '');
    back();
  });
}
