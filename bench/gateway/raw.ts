// The ceiling of delivery over WebSockets: sends the frames of a tokenStream, one for each token, and does nothing else.

import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { readPace, sendTokens } from './pace.ts';

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

sockets.on('connection', socket =>
  socket.on('message', data => {
    const { type, id, payload } = JSON.parse(String(data));
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type === 'subscribe') void serve(socket, id, payload.variables.prompt);
  }),
);

async function serve(socket: WebSocket, id: string, prompt: string): Promise<void> {
  const frame = (event: object) =>
    JSON.stringify({ id, type: 'next', payload: { data: { tokenStream: event } } });
  const [head, tail] = frame({ __typename: 'TokenDelta', text: '|' }).split('|');
  await sendTokens(readPace(prompt), token => {
    socket.send(`${head}${token}${tail}`);
    return socket.readyState === socket.OPEN;
  });
  socket.send(frame({ __typename: 'StreamCompleted' }));
  socket.send(JSON.stringify({ id, type: 'complete' }));
}

server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
});
