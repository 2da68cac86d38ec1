// A small HTTP service whose health its parent decides: node service.mjs PORT
import { createServer } from 'node:http';
import process from 'node:process';
import { setTimeout } from 'node:timers';

let answer = {};
let probes = 0;

const server = createServer((request, response) => {
  if (request.url === '/health') probes++;
  const { status = 200, json, headers = {}, delayMs = 0, never = [] } = answer;
  if (never.includes(request.url)) return;
  setTimeout(() => {
    response.writeHead(status, { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers });
    response.end(json === undefined ? 'OK' : JSON.stringify(json));
  }, delayMs);
});

process.on('message', (message) => {
  if (message.answer) answer = message.answer;
  process.send({ probes });
});
process.on('disconnect', () => process.exit());

server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send({ port: server.address().port }));
