/** `npx tsx test/agents/model/main.ts [port]`: the mock model to try things with; prints its address and a line per request. */
import { setTimeout as delay } from 'node:timers/promises';
import { startModel } from './server.ts';

const model = await startModel(Number(process.argv[2] ?? 0));
console.log(model.url);
for (let told = 0; ; await delay(50)) {
  while (told < model.requests.length) {
    const { wire, method, path, step, answer, tools, isAborted } = model.requests[told] ?? {};
    if (answer === '') break;
    console.log(JSON.stringify({ wire, method, path, step, answer, isAborted, tools }));
    told += 1;
  }
}
