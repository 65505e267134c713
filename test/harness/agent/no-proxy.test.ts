/** The mailbox is spoken to without the proxy that a company's machine names for everything else. */
import { beforeAll, expect, test } from 'vitest';
import { withoutProxyTo } from '../../../src/harness/agent/no-proxy.ts';
import { finished } from '../../support/running.ts';
import { playing } from './playing.ts';

// Loading takes real time, of which a hand clock knows nothing.
beforeAll(() => import('../../../src/harness/agent/perform.ts'));

const here = '127.0.0.1';

test.each([
  [{}, here, here],
  [{ NO_PROXY: '' }, here, here],
  // Who reads only the other one is told what the user has excepted, too.
  [{ NO_PROXY: 'a.example,b.example' }, `a.example,b.example,${here}`, `a.example,b.example,${here}`],
  [{ no_proxy: 'a.example b.example' }, `a.example,b.example,${here}`, `a.example,b.example,${here}`],
  [{ NO_PROXY: 'a.example', no_proxy: 'b.example' }, `a.example,${here}`, `b.example,${here}`],
  [{ NO_PROXY: `localhost, ${here}` }, `localhost,${here}`, `localhost,${here}`],
  [{ no_proxy: '*' }, '*', '*'],
])('%o: what is excepted stays so', (env, upper, lower) => {
  expect(withoutProxyTo(here, { OTHER: 'x', ...env })).toEqual({ OTHER: 'x', NO_PROXY: upper, no_proxy: lower });
});

const serveMailbox = async () => ({
  mcpServer: { name: 'group', url: `http://${here}:1/`, headers: {} },
  isJoined: () => true,
  lastHeardAt: () => undefined,
  close: async () => {},
});

test.each([true, false])('an agent that is given a mailbox (%s) finds it so in its environment', async (isServed) => {
  const play = playing(() => 'Done.', {
    options: {
      mailbox: isServed ? 'required' : 'none',
      serveMailbox,
      inheritEnv: false,
      env: { HTTP_PROXY: 'http://proxy' },
    },
  });
  await finished(play);
  const { HTTP_PROXY, NO_PROXY, no_proxy: lower } = play.agent.opened[0]?.env ?? {};
  expect([HTTP_PROXY, NO_PROXY, lower]).toEqual([
    'http://proxy',
    ...(isServed ? [here, here] : [undefined, undefined]),
  ]);
});
