/** Turns: what they tell, how they end, and what reaches them on the way. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { scripted } from '../../agents/model/script.ts';
import { isAlive } from '../support.ts';
import { classOf, type ConformanceKit, send, textOf } from './conformance-kit.ts';

/** A long answer, word by word. */
const slow = { slow: { n: 400, ms: 50 } };

/** Declares them. */
export function turns({ subject, promise, callsTo, tools }: ConformanceKit): void {
  const { capabilities, cancelMs = 3_000 } = subject;

  promise('a turn ends with the agent’s last text, and its session is known before', async (open) => {
    const { session, events, said } = await open();
    expect(session.capabilities).toEqual(capabilities);
    expect(textOf(await session.prompt(scripted([{ text: 'the sky is blue' }])))).toContain('the sky is blue');
    expect(said()).toContain('the sky is blue');
    const [first, ...rest] = events.filter(({ type }) => type === 'session' || type === 'text');
    expect(first).toEqual({ type: 'session', id: session.id });
    expect(rest.map(({ type }) => type)).not.toContain('session');
  });

  promise('a session takes turn after turn and remembers', async (open) => {
    const { session } = await open();
    expect(textOf(await session.prompt(scripted([{ text: 'one' }, { echo: true }])))).toContain('one');
    expect(textOf(await session.prompt('a word for later: marzipan'))).toContain('marzipan');
  });

  promise(
    'a tool of a given server is used without a question, with its token, and its result is read',
    async (open) => {
      const { session, events, asked } = await open();
      const end = await session.prompt(scripted([send('conformance-tool'), { echo: true }]));
      expect(textOf(end)).toContain('it was sent');
      expect(callsTo('conformance-tool')).toBe(1);
      expect(asked).toEqual([]);
      // One use, told from its beginning to its end; its name may come late.
      const uses = events.flatMap((event) => (event.type === 'tool' ? [event] : []));
      const ids = uses.filter(({ name }) => name.includes('group_send')).map(({ id }) => id);
      expect(new Set(ids).size).toBe(1);
      expect(uses.filter(({ id }) => id === ids[0]).map(({ status }) => status)).toEqual(['started', 'done']);
      expect(tools().requests.map(({ method }) => method)).toEqual(
        expect.arrayContaining(['initialize', 'tools/list', 'tools/call']),
      );
    },
  );

  promise('what the model has spent is told', async (open) => {
    const { session, events } = await open();
    await session.prompt(scripted([{ text: 'cheap' }]));
    const told = events.flatMap((event) => (event.type === 'usage' ? [event.tokens ?? 0] : []));
    expect(told.some((tokens) => tokens > 0)).toBe(subject.tellsTokens ?? true);
  });

  promise('a cancelled turn ends soon, and the session takes another', async (open) => {
    const { session, speaks } = await open();
    const turn = session.prompt(scripted([slow, { text: 'after the break' }]));
    await speaks();
    const beganMs = performance.now();
    await session.cancel();
    expect(await turn).toEqual({ status: 'cancelled' });
    expect(performance.now() - beganMs).toBeLessThan(cancelMs);
    expect(textOf(await session.prompt(scripted([{ text: 'good again' }])))).toContain('good again');
  });

  promise('a cancel between turns changes nothing', async (open) => {
    const { session } = await open();
    await session.cancel();
    expect(textOf(await session.prompt(scripted([{ text: 'unharmed' }])))).toContain('unharmed');
  });

  promise('a session that is closed in its turn ends it, tells nothing more and leaves nothing', async (open) => {
    const { session, events, speaks } = await open();
    const turn = session.prompt(scripted([slow]));
    await speaks();
    const pids = [...session.pids];
    expect(pids.length > 0).toBe(subject.hasProcesses);
    await Promise.all([session.close(), session.close()]);
    const told = events.length;
    expect(await turn).toEqual({ status: 'cancelled' });
    expect(pids.filter(isAlive)).toEqual([]);
    expect((await session.prompt('more')).status).toBe('error');
    await delay(100);
    expect(events.length).toBe(told);
  });

  promise(`a message to a running turn: ${capabilities.steer}`, async (open) => {
    const { session, saw } = await open();
    expect(session.steer === undefined).toBe(capabilities.steer === 'none');
    if (session.steer === undefined) return;
    expect(await session.steer('too early')).toBe('refused');
    const script = [{ ...send('steered'), wait: 1_000 }, { ...send('steered-2'), wait: 1_500 }, { echo: true }];
    const turn = session.prompt(scripted(script));
    await saw('tool');
    const became = await session.steer('a word on the way: praline');
    expect(became).toBe(capabilities.steer === 'into-turn' ? 'injected' : 'queued');
    const text = textOf(await turn);
    if (became === 'injected') expect(text).toContain('praline');
  });

  for (const [status, failureClass] of Object.entries(subject.failures)) {
    promise(`a model that answers ${status} is class ${failureClass}`, async (open) => {
      const { session } = await open();
      const end = await session.prompt(scripted([{ error: Number(status), message: 'as scripted' }]));
      expect(classOf(end)).toBe(failureClass);
    });
  }
}
