/**
 * Texts that strangers put into names of columns, classes and studies, and checks that they stay data: in JavaScript, in HTML and SVG, at a terminal,
 * in a shell. One generator for all outputs: fault 45 of RELIABILITY.md.
 */
import vm from 'node:vm'
import fc from 'fast-check'
import { cases } from './nightly.js'

/** Texts with a meaning in some language. */
export const NASTY: readonly string[] = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'then', 'length', 'name'],
  ...[
    '</script><script>alert(1)</script>',
    '<!--<script>',
    ']]>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "' onclick='x",
  ],
  ...['</style><b>', '</title><h1>', '</svg>', '&lt;b&gt;', '&#60;b&#62;', '<', '>', '&', '"', "'", '`', '\\', '/'],
  ...[
    '*/ process.exit(1) /*',
    '// x',
    '`$' + '{globalThis}`',
    '$' + '{1+1}',
    '\\u0027',
    "'); throw new Error('ran'); ('",
    '"]; throw 1; ["',
    '</',
  ],
  ...['\u2028', '\u2029', '\n', '\r', '\r\n', '\t', '\0', '\u0085', '\ufeff', '\ud800', '\udc00x', 'x\ud83d', '😀', 'ü', ' ', '  a  '],
  ...[
    '\u001b[2J',
    '\u001b[31mred\u001b[0m',
    '\u001b]0;title\u0007',
    '\u001b[1A\u001b[2K',
    '\u009b2J',
    '\u0007',
    '\b\b\b',
    '\u007f',
    '\u202eabc',
    '\u2066',
  ],
  ...[
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    "=cmd|' /C calc'!A0",
    ',',
    ';',
    '"a","b"',
    '|',
    '$(touch x)',
    '`touch x`',
    '; touch x',
    "'; touch x; '",
    '$HOME',
    '%PATH%',
  ],
  ...['../../etc/passwd', '/etc/passwd', 'C:\\x', 'file:///etc/passwd', 'data:text/javascript,1', 'javascript:alert(1)'],
]

/** A text of NASTY, several of them joined, or any text. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...NASTY), { minLength: 2, maxLength: 3 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }) },
)

/** `count` different texts that are not blank: names of columns or classes. */
export const hostileNames = (count: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(
    hostileText.filter((text) => text.trim() !== ''),
    { minLength: count, maxLength: count },
  )

/** Number of random cases, all at night and a tenth by day, or `HOSTILE=5000`; and a seed, or `HOSTILE_SEED`. */
export const runs = (inFull: number): { numRuns: number; seed: number } => ({
  numRuns: Number(process.env.HOSTILE ?? cases(inFull)),
  seed: Number(process.env.HOSTILE_SEED ?? 20261129),
})

/** Characters that a terminal obeys, or that turn the direction of a line; line ends are looked at apart. */
export const OBEYED = /[\0-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/

/** Runs a JavaScript module without any globals but the language's own, and returns its exports; use of another global is an error. */
export async function runModule(source: string): Promise<Record<string, (...args: unknown[]) => unknown>> {
  // as a script, since modules in node:vm need a flag; declarations take the place of exports
  const script = source.replace(/^export (?=function (\w+))/gm, '')
  const names = [...source.matchAll(/^export function (\w+)/gm)].map(([, name]) => name)
  const context = vm.createContext(Object.assign(Object.create(null), { atob }), { codeGeneration: { strings: false, wasm: false } })
  const before = vm.runInContext('JSON.stringify([Object.prototype, Array.prototype].map((o) => Reflect.ownKeys(o).map(String)))', context)
  const made = vm.runInContext(`'use strict'\n${script}\n;({ ${names.join(', ')} })`, context, { timeout: 5000 })
  const after = vm.runInContext('JSON.stringify([Object.prototype, Array.prototype].map((o) => Reflect.ownKeys(o).map(String)))', context)
  if (before !== after) throw new Error('a prototype was changed')
  return made
}

/** Elements that contain no others, and whose text ends only with their own tag. */
const RAW = /^(script|style|title|textarea|noscript|iframe|xmp)$/

/**
 * The tags of a page, or of SVG, with the names of their attributes, in their order, as the tokenizer of HTML finds them: everything that text could
 * turn into besides text.
 * @throws Error for markup that is not a tag, such as a comment, and for misplaced `<` and quotes
 */
export function tagsOf(html: string): string[] {
  const found: string[] = []
  const tag = /<(\/?)([a-z][^\s/>]*)((?:\s+[^\s"'<>/=]+(?:=(?:"[^"]*"|'[^']*'))?)*)\s*(\/?)>/giy
  let at = html.startsWith('<!doctype html>') ? '<!doctype html>'.length : 0
  for (;;) {
    at = html.indexOf('<', at)
    if (at < 0) return found
    tag.lastIndex = at
    const [whole, slash, name, attributes, alone] = tag.exec(html) ?? []
    if (whole === undefined) throw new Error(`markup that is no tag of ours: ${JSON.stringify(html.slice(at, at + 60))}`)
    const names = [...attributes.matchAll(/\s([^\s"'<>/=]+)(?:=(?:"[^"]*"|'[^']*'))?/g)].map(([, attribute]) => attribute)
    found.push([`${slash}${name}`, ...names].join(' '))
    at += whole.length
    if (slash !== '' || alone !== '' || !RAW.test(name)) continue
    // the text of a title holds no tags, but may end it
    at = html.slice(at).search(new RegExp(`</${name}`, 'i')) + at
  }
}

/** The words of a line as a POSIX shell reads it. @throws Error for anything that a shell would do besides reading words */
export function shellWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (let i = 0; i < line.length; i++) {
    const c = line[i]
    if (c === "'") {
      const end = line.indexOf("'", i + 1)
      if (end < 0) throw new Error(`a quote is open in ${line}`)
      word = (word ?? '') + line.slice(i + 1, end)
      i = end
    } else if (c === '\\') word = (word ?? '') + line[++i]
    else if (c === ' ') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (/[\w@%+:,./=-]/.test(c)) word = (word ?? '') + c
    else throw new Error(`a shell takes ${JSON.stringify(c)} for more than a letter in ${line}`)
  }
  return word === undefined ? words : [...words, word]
}
