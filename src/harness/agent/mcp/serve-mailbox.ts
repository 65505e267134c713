/** The mailboxes of this process. */
import type { ServeMailbox } from '../mailbox-server.ts';
import { mailboxHost } from './mailbox-host.ts';

const host = mailboxHost();

/** Serves an attempt's mailbox on this process's one server, which listens on loopback while any attempt is served. */
export const serveMailbox: ServeMailbox = (attempt) => host.serve(attempt);
