/** The answer's JSON. Rejects when there is none within a second, or an error. */
export function getJson(url: string): Promise<unknown> {
  return sendJson(url, 'GET');
}

/** As `getJson`. */
export async function sendJson(
  url: string,
  method: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<unknown> {
  const signal = AbortSignal.timeout(1_000);
  const answer = await fetch(url, { method, body: JSON.stringify(body), headers, signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
