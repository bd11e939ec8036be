/** What storages on a server share: its URL, and what was written before an answer was lost. */

/** @internal the URL of a server as people may see it, without its password */
export function withoutPassword(url: string): string {
  const parsed = new URL(url)
  if (parsed.password === '') return url
  parsed.password = '***'
  return parsed.href
}

/** @internal a URL with options of ours, `redis://host?prefix=mine`: the server's own, and the prefix of what is kept there */
export function serverOf(url: string): { server: string; prefix: string } {
  const parsed = new URL(url)
  const prefix = parsed.searchParams.get('prefix') ?? 'gradus'
  parsed.searchParams.delete('prefix')
  return { server: parsed.href, prefix }
}

/** @internal whether what was tried is among the entries that were read since: the server had it, and its answer was lost on the way */
export function hasAll(entries: readonly string[], tried: readonly string[]): boolean {
  return tried.length > 0 && entries.join('\n').includes(tried.join('\n'))
}
