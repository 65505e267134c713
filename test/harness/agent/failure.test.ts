/** What agents' own words mean, where a word stands in others. */
import { expect, test } from 'vitest';
import { codeOfFailure, turnFailed, unjoined } from '../../../src/harness/agent/failure.ts';

test.each([
  'No conversation found with session ID: x',
  'cannot find session x',
  'invalid session id',
  'a nonexistent thread',
  'no rollout found for thread id x',
  'session not found: x',
])('a session that is not there: %s', (message) => {
  expect(codeOfFailure(message)).toBe('SESSION_UNKNOWN');
});

test.each([
  ['Too many requests: another session is running', 'RATE_LIMITED'],
  ['Not logged in: cannot restore your session', 'AUTH'],
  ['network down, cannot resume the conversation', 'MODEL_ERROR'],
])('a session that is: %s', (message, code) => {
  expect(codeOfFailure(message)).toBe(code);
});

test.each([
  // Codex tells the status in its words, and "Reconnecting" is no ECONN.
  ['Reconnecting... 1/5 (unexpected status 404 Not Found: model: x not found, url: http://h/v1)', 'BAD_REQUEST'],
  ['Reconnecting... 1/5 (unexpected status 413 Payload Too Large: Request too large)', 'CONTEXT_TOO_LONG'],
  ['Reconnecting... 1/5 (unexpected status 403 Forbidden: x)', 'AUTH'],
  ['Reconnecting... 1/5 (of tomorrow)', 'MODEL_ERROR'],
  ['exceeded retry limit, last status: 429 Too Many Requests', 'RATE_LIMITED'],
  ['[API Error: {"error":{"code":413,"message":"Request too large","status":"INTERNAL"}}]', 'CONTEXT_TOO_LONG'],
  ['{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}', 'AUTH'],
  ['unexpected status 404: session not found', 'SESSION_UNKNOWN'],
])('a status in the words: %s', (message, code) => {
  expect(codeOfFailure(message)).toBe(code);
});

test.each([
  ['Too many tokens, please wait before trying again.', 'RATE_LIMITED'],
  ['Rate limit reached: too many tokens per min', 'RATE_LIMITED'],
  ['too many tokens in the prompt', 'CONTEXT_TOO_LONG'],
  ['The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).', 'CONTEXT_TOO_LONG'],
  ['input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000', 'CONTEXT_TOO_LONG'],
  ["You've hit your session limit · resets 3pm", 'QUOTA'],
  ['5-hour limit reached ∙ resets 3pm', 'QUOTA'],
  ['You’ve hit your monthly spend limit.', 'QUOTA'],
  ["mock's safeguards flagged this message (https://www.anthropic.com/legal/aup).", 'REFUSED'],
  ['Claude Code is unable to respond to this request, which appears to violate our Usage Policy', 'REFUSED'],
  ['This content was flagged for possible cybersecurity risk.', 'REFUSED'],
  ['stream disconnected before completion: Incomplete response returned, reason: content_filter', 'REFUSED'],
  ['The model response was blocked due to safety settings.', 'REFUSED'],
  ['Invalid session token. Please log in again.', 'AUTH'],
  ['exit code 41: Please set an Auth method in your settings.json or specify GEMINI_API_KEY', 'AUTH'],
  ['No auth type is selected. Please configure an auth type (e.g. via settings or `--auth-type`)', 'AUTH'],
  ['To increase your limits, request a quota increase, or switch to another /auth method', 'QUOTA'],
  ['Your access token could not be refreshed. Please log out and sign in again.', 'AUTH'],
  ['Run aborted: tool-call budget of 1 exceeded (--max-tool-calls); observed 2.', 'BUDGET'],
  ['Run aborted: wall-clock budget of 3s exceeded (--max-wall-time).', 'BUDGET'],
  ['Reached max session turns for this session. Increase the number of turns', 'TURNS'],
  ["Can't reach the API server — check your internet or DNS (ENOTFOUND)", 'MODEL_ERROR'],
  ['API returned an empty or malformed response (HTTP 200)', 'MODEL_ERROR'],
  ['[API Error: terminated]', 'MODEL_ERROR'],
  ['Model stream ended without a finish reason.', 'MODEL_ERROR'],
  ['API Error: Request timed out', 'MODEL_ERROR'],
  ['We’re currently experiencing high demand, which may cause temporary errors.', 'OVERLOADED'],
  ['[API Error: model: mock not found]', 'BAD_REQUEST'],
  ['OAuth token has expired. Please obtain a new token or refresh your existing token.', 'AUTH'],
  ['OAuth token revoked', 'AUTH'],
  ['Your session token is no longer valid.', 'AUTH'],
  ['API Error: 403 {"error":{"type":"permission_error","message":"no"}}', 'AUTH'],
  ['RESOURCE_EXHAUSTED', 'RATE_LIMITED'],
  ['Resource exhausted. Please try again later.', 'RATE_LIMITED'],
  ['Too many concurrent requests', 'RATE_LIMITED'],
  ['ThrottlingException: Rate exceeded', 'RATE_LIMITED'],
  ['402 Payment Required', 'QUOTA'],
  ['the service answered HTTP 402', 'QUOTA'],
  ['You are out of credits.', 'QUOTA'],
  ['Insufficient Balance', 'QUOTA'],
  ['Input is too long for requested model.', 'CONTEXT_TOO_LONG'],
  ['API Error: 400 prompt is too long: 210000 tokens > 200000 maximum', 'CONTEXT_TOO_LONG'],
  ['model_not_found', 'BAD_REQUEST'],
  ['ProviderModelNotFoundError', 'BAD_REQUEST'],
  ['The model `gpt-5.2-codex` does not exist or you do not have access to it.', 'BAD_REQUEST'],
  ['There is an issue with the selected model (x). It may not exist or you may not have access to it.', 'BAD_REQUEST'],
  ['connect EHOSTUNREACH 10.0.0.1:443', 'MODEL_ERROR'],
  ['self-signed certificate in certificate chain', 'MODEL_ERROR'],
  ['unable to verify the first certificate', 'MODEL_ERROR'],
  ['certificate has expired', 'MODEL_ERROR'],
  ['error sending request for url (https://api.example.com/v1/responses)', 'MODEL_ERROR'],
  ['The operation timed out.', 'MODEL_ERROR'],
  ['HTTP/1.1 522', 'MODEL_ERROR'],
])('as agents say it: %s', (message, code) => {
  expect(codeOfFailure(message)).toBe(code);
});

test.each([
  'TypeError: x is undefined\n    at f (/usr/lib/agent/cli.js:503:1201)\n    at g (file:///a/b.mjs:12:429)',
  'SyntaxError: Unexpected token in cli.js:401',
  'ENOENT: no such file or directory, open /srv/network/settings.json',
  'Warning: NODE_TLS_REJECT_UNAUTHORIZED=0 makes TLS insecure by disabling certificate verification.',
  'Cannot find module ./network.js',
])('what only looks like a failure of the service: %s', (message) => {
  expect(codeOfFailure(message)).toBe('AGENT_FAILED');
});

test('a status counts more than words that say no more of it', () => {
  expect(codeOfFailure('Request rejected (429) · Too many tokens, please wait before trying again.', 429)).toBe(
    'RATE_LIMITED',
  );
  expect(codeOfFailure('The request took too long.', 408)).toBe('MODEL_ERROR');
  expect(codeOfFailure('Invalid session', 401)).toBe('AUTH');
});

test('a failure before the mailbox was joined is the mailbox’s if it tells of its address', () => {
  const url = 'http://127.0.0.1:9/mcp';
  const failed = turnFailed('AGENT_FAILED', `ended with exit code 1: error sending request for url (${url})`);
  expect(unjoined(failed, url)).toMatchObject({ class: 'failed', error: { ...failed.error, code: 'MAILBOX_DEAD' } });
  const other = turnFailed('QUOTA', 'usage limit');
  expect(unjoined(other, url)).toBe(other);
});
