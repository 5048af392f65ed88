// Begins at once what takes time, while the modules are still being loaded: the first WebSocket, and the compiling of the client. No
// module itself, for those wait for each other.

'use strict';

/** A WebSocket to the server. What it says before anybody listens waits in `early`. */
globalThis.openSocket = () => {
  const address = new URL('session', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  address.hash = address.search = '';
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  socket.early = [];
  socket.onmessage = (event) => socket.early.push(event.data);
  return socket;
};
globalThis.firstSocket = openSocket();
globalThis.compiledClient = WebAssembly.compileStreaming(fetch('tresen_web_bg.wasm'));
