/** The mailbox is on this machine: a proxy that an agent's environment names cannot reach it, and must not be shown its token. */

type Variables = Readonly<Record<string, string>>;

/** Programs read the one or the other, or prefer one where both are there. */
const names = ['NO_PROXY', 'no_proxy'] as const;

/** `env` in which `host` is spoken to without a proxy, besides those that are already. */
export function withoutProxyTo(host: string, env: Variables): Variables {
  const given = names.map((name) => env[name]).find((value) => value !== undefined && value !== '') ?? '';
  const added = names.map((name) => {
    const hosts = (env[name] || given).split(/[\s,]+/).filter((one) => one !== '');
    return [name, hosts.some((one) => one === host || one === '*') ? hosts.join(',') : [...hosts, host].join(',')];
  });
  return { ...env, ...Object.fromEntries(added) };
}
