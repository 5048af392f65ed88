// One WebSocket to the server, up to the point where the session's own messages begin.

import { proof } from './identity.js';

const GREETING_LIMIT_MS = 10_000;

/** Why there is no connection: `noServer` or `notPaired`. */
export class NotConnected extends Error {}

/** Opens a WebSocket, proves who this browser is, and resolves with the socket. Messages that come early wait in `socket.early`. */
export async function connect() {
  const address = new URL('session', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  address.hash = address.search = '';
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  socket.early = [];
  try {
    const answer = await proof(JSON.parse(await greeting(socket)));
    if (answer === null) throw new NotConnected('notPaired');
    socket.onmessage = (event) => socket.early.push(event.data);
    socket.send(answer);
    return socket;
  } catch (error) {
    socket.onclose = socket.onmessage = null;
    socket.close();
    throw error instanceof NotConnected ? error : new NotConnected('noServer');
  }
}

function greeting(socket) {
  return new Promise((done, failed) => {
    const limit = setTimeout(failed, GREETING_LIMIT_MS, new NotConnected('noServer'));
    socket.onmessage = (event) => {
      clearTimeout(limit);
      done(event.data);
    };
    socket.onclose = () => {
      clearTimeout(limit);
      failed(new NotConnected('noServer'));
    };
  });
}
