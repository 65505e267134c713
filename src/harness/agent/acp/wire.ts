/** The connection to an agent, whatever it is: a process, or an app in this one. Messages pass the sieve both ways. */
import type { AgentApp } from '@agentclientprotocol/sdk';
import { lines } from './lines.ts';
import { type Sieve, sieve, type SieveListener } from './sieve.ts';
import { startAgent } from './agent-process.ts';

/** Who hears of a wire. */
export interface WireListener extends SieveListener {
  /** Called once: nothing further comes, and why. */
  onEnd(why: string): void;
}

/** A connected agent. */
export interface Wire extends Pick<Sieve, 'stream'> {
  readonly pids: readonly number[];
  /** The end of what it wrote besides the protocol. */
  stderr(): string;
  /** Ends the agent and all that it started; resolves when nothing of it is left. Never rejects. */
  close(): Promise<void>;
}

/** How a program is to be started. */
export interface WireProgram {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly key: string;
  /** How long it may take to go when its input ends, ms. */
  readonly eofMs: number;
  readonly onOutput: ((chunk: Uint8Array) => Promise<void> | void) | undefined;
}

/** Starts a program and connects to it. Rejects with an {@link AgentFailure} when it does not start. */
export async function wireToProgram(program: WireProgram, listener: WireListener): Promise<Wire> {
  let isEnded = false;
  const end = (why: string, error?: Error) => {
    if (isEnded) return;
    isEnded = true;
    listener.onEnd(why);
    sifted.end(error);
  };
  const taking = (take: () => void) => {
    if (isEnded) return;
    try {
      take();
    } catch (error) {
      end(`it broke the protocol: ${(error as Error).message}`);
    }
  };
  const sifted: Sieve = sieve((message) => child.write(`${JSON.stringify(message)}\n`), listener);
  const split = lines((line) => sifted.takeLine(line));
  const child = await startAgent({
    ...program,
    onStdout: (chunk) => taking(() => split.push(chunk)),
    onEnd: (how) => {
      taking(() => split.end());
      end(how);
    },
  });
  return {
    stream: sifted.stream,
    pids: [child.groupId],
    stderr: child.stderr,
    close: () => child.stop(program.eofMs),
  };
}

/** Connects to an app in this process. What it says is written and read as JSON, so that it is held to what a process is. */
export function wireToApp(app: AgentApp, listener: WireListener): Wire {
  const toAgent = new TransformStream<never>();
  const writer = toAgent.writable.getWriter();
  const sifted = sieve((message) => writer.write(JSON.parse(JSON.stringify(message)) as never), listener);
  const connection = app.connect({
    readable: toAgent.readable,
    writable: new WritableStream({ write: (message) => sifted.takeLine(JSON.stringify(message)) }),
  });
  void connection.closed.then(() => {
    listener.onEnd('it closed the connection');
    sifted.end();
  });
  return {
    stream: sifted.stream,
    pids: [],
    stderr: () => '',
    async close() {
      connection.close();
      await connection.closed;
      await writer.abort().catch(() => undefined);
    },
  };
}
