/** How agents are told of the server that `troupe mcp` is: apart from it, so that help needs none of what serving does. */
export const mcpHelp = `
Tools: run_start, run_resume, run_list, run_show, run_wait, run_send, run_approve, run_cancel.
A run is driven by a process of its own: it goes on when the agent ends, and is taken up again with run_resume.

Claude Code:
  $ claude mcp add troupe -- npx troupe mcp
Codex (then \`required = true\` under [mcp_servers.troupe] in ~/.codex/config.toml: else it may begin without the tools):
  $ codex mcp add troupe -- npx troupe mcp
Gemini CLI:
  $ gemini mcp add troupe npx troupe mcp

Any other agent, in its list of MCP servers:
  { "mcpServers": { "troupe": { "command": "npx", "args": ["troupe", "mcp"] } } }`;
