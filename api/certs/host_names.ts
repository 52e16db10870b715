/** Under which names and addresses a server can be found. */
import { EngineError } from "../../core/errors.ts";
import type { ServerNames } from "./x509.ts";

const DNS_NAME =
  /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;

/** Whether the text is an IPv4 or IPv6 address. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  return text.includes(":") && /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);
}

/** Names for the server's certificate: the fixed ones, this host's and the given ones. @throws {EngineError} "invalid" */
export function serverNames(hostname: string, hosts: readonly string[]): ServerNames {
  const dns = new Set(["joblet", "localhost"]);
  const ip = new Set(["127.0.0.1", "::1"]);
  if (DNS_NAME.test(hostname)) dns.add(hostname.toLowerCase());
  for (const host of hosts) {
    if (isIpAddress(host)) ip.add(host);
    else if (DNS_NAME.test(host)) dns.add(host.toLowerCase());
    else throw new EngineError("invalid", `Cannot use host '${host}': it must be a host name or an IP address`);
  }
  return { dns: [...dns], ip: [...ip] };
}

/** What clients dial: the first given host for a server that listens everywhere, else the address it listens on. */
export function clientAddress(address: string, port: number, hosts: readonly string[]): string {
  const isWildcard = address === "0.0.0.0" || address === "::";
  const host = isWildcard ? hosts[0] ?? "127.0.0.1" : address;
  return `${isIpv6(host) ? `[${host}]` : host}:${port}`;
}
