// One WebSocket to the server, up to the point where the session's own messages begin.

import { proof } from './identity.js';

const GREETING_LIMIT_MS = 10_000;

/** Why there is no connection: `noServer` or `notPaired`. */
export class NotConnected extends Error {}

/** Opens a WebSocket, proves who this browser is, and resolves with the socket. Messages that come early wait in `socket.early`; `socket.way` says which way it takes. */
export async function connect() {
  const socket = globalThis.firstSocket ?? globalThis.openSocket();
  globalThis.firstSocket = null;
  try {
    const asked = JSON.parse(await greeting(socket));
    socket.way = asked.relayed ? 'passed' : 'direct';
    const answer = await proof(asked);
    if (answer === null) throw new NotConnected('notPaired');
    socket.send(answer);
    return socket;
  } catch (error) {
    socket.onclose = socket.onmessage = null;
    socket.close();
    throw error instanceof NotConnected ? error : new NotConnected('noServer');
  }
}

/** The first message; those that follow wait in `socket.early`. */
function greeting(socket) {
  return new Promise((done, failed) => {
    const keep = socket.onmessage;
    const end = (settle, value) => {
      clearTimeout(limit);
      socket.onmessage = keep;
      settle(value);
    };
    const fail = () => end(failed, new NotConnected('noServer'));
    const limit = setTimeout(fail, GREETING_LIMIT_MS);
    if (socket.early.length > 0) return end(done, socket.early.shift());
    if (socket.readyState > WebSocket.OPEN) return fail();
    socket.onmessage = (event) => end(done, event.data);
    socket.onclose = fail;
  });
}
