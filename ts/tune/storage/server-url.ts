/** The URL of a server: its password, the prefix in it, and advice if it cannot be reached. */
import { rangeError } from '../../common/errors.js'

/** @internal the URL of a server as people may see it, without its password */
export function withoutPassword(url: string): string {
  const parsed = new URL(url)
  if (parsed.password === '') return url
  parsed.password = '***'
  return parsed.href
}

/**
 * @internal a URL with our options, `redis://host?prefix=mine`: the server's own URL, and the prefix of our data
 * @throws RangeError, without the URL, which may have a password
 */
export function serverOf(url: string): { server: string; prefix: string } {
  if (!URL.canParse(url))
    throw rangeError(
      'the URL of a server wants to be like redis://user:password@host:6379, got one that cannot be read; write characters such as # and / in a password as encodeURIComponent does',
    )
  const parsed = new URL(url)
  const prefix = parsed.searchParams.get('prefix') ?? 'gradus'
  parsed.searchParams.delete('prefix')
  return { server: parsed.href, prefix }
}

/** @internal advice about the reason for which a server cannot be reached */
export function remedyFor(reason: string, program = ''): string {
  if (/WRONGPASS|NOAUTH|password|authentication|no pg_hba/i.test(reason))
    return '. Write the user and the password into the URL: //user:password@host'
  if (/certificate|self.signed|TLS|SSL/i.test(reason))
    return '. Name the certificate of its authority in the environment variable NODE_EXTRA_CA_CERTS'
  if (/does not exist|DB index/i.test(reason)) return ''
  return `. Is the server running${program}?`
}
