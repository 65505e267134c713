/** How a fake agent differs from a good one: each is something that a real agent does. */
export interface Quirks {
  /** What it offers for a running turn. Default `extension`: `_session/steering`. `ask`: `fake/drain` after each tool. */
  readonly steer?: 'ask' | 'cancel-first' | 'extension' | 'join' | 'refuse';
  /** Asks before it uses a tool. Default true. */
  readonly asks?: boolean;
  /** Kinds of the options of a permission request, in order. Default `allow_once`, `reject_once`. */
  readonly options?: readonly string[];
  /** Tells how a tool ended without having told that it began. */
  readonly endsWithoutBeginning?: boolean;
  /** How it takes up a session. Default `load`, with the history told again before the answer. */
  readonly resume?: 'load' | 'none' | 'resume';
  /** A session that is loaded in the minute in which it was begun is lost for good. */
  readonly wipesWithinMinute?: boolean;
  /** Its MCP tools are there so long after the session is, ms. */
  readonly toolsLateMs?: number;
  /** Refuses a session before this method has been used. */
  readonly authMethod?: string;
  /** Takes no MCP servers over HTTP. */
  readonly hasNoHttp?: boolean;
  /** A cancel that comes so soon after the prompt is not heard, ms. */
  readonly deafMs?: number;
  /** Never ends a turn because of a cancel. */
  readonly ignoresCancel?: boolean;
  /** Goes on when its input ends. */
  readonly ignoresEof?: boolean;
  /** Never answers this method. */
  readonly silentAt?: string;
  /** Ends itself when this method comes. */
  readonly diesAt?: string;
  /** The reason that it gives at the end of every turn. Default as the turn went. */
  readonly stopReason?: string;
  /** Asks the client for files, terminals and what nobody knows, and says what it was answered. */
  readonly asksForMore?: boolean;
  /** Sends updates that no schema knows, and lines that are no messages. */
  readonly isNoisy?: boolean;
  /** Protocol version that it answers. */
  readonly version?: number;
  /** Tells a loaded session's history only after it has said that it is loaded, 100 ms apart. */
  readonly tellsHistoryLate?: boolean;
  /** Updates that it sends in every turn before the end. */
  readonly alsoTells?: readonly object[];
  /** Gives tools no name but a title, which is the argument `title`: a model's own words. */
  readonly hasNoNames?: boolean;
  /** Models of its option; none: it has no such option. */
  readonly models?: readonly string[];
}
