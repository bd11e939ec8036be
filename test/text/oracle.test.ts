/**
 * Tokenizers beside Hugging Face's `tokenizers` (test/oracles/text_tokens.py): the vocabulary that is learnt, the file, the tokens of strings and their
 * texts. TEXT_TOKENS=<file> compares with the tokenizers of another file, which that script makes of a longer text.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readTokenizer, type Tokenizer, type TrainTokenizerOptions, trainTokenizer } from '../../ts/text/index.js'

type Row = [text: string, tokens: number[], decoded: string, shown: string, special?: number[]]
interface Case {
  options: TrainTokenizerOptions
  json: string
  strings: Row[]
}
const FILE = process.env.TEXT_TOKENS ?? new URL('../oracles/text_tokens.json', import.meta.url).pathname
const { cases, corpus } = JSON.parse(readFileSync(FILE, 'utf8')) as { cases: Case[]; corpus: string }
const lines = readFileSync(corpus.startsWith('/') ? corpus : join(dirname(FILE), corpus), 'utf8')
  .split('\n')
  .map((line) => `${line}\n`)

function compare(tokenizer: Tokenizer, strings: Row[]): void {
  for (const [text, tokens, decoded, shown, special = tokens] of strings) {
    expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(tokens)
    expect([...tokenizer.encode(text, { special: true })], JSON.stringify(text)).toEqual(special)
    expect(tokenizer.decode(tokens)).toBe(decoded)
    expect(tokenizer.decode(special, { special: false })).toBe(shown)
  }
}

describe.each(cases)('$options', ({ options, json, strings }) => {
  test('the texts give the same vocabulary, merges and file', async () => {
    const tokenizer = await trainTokenizer(lines, options)
    expect(JSON.parse(tokenizer.toJson())).toEqual(JSON.parse(json))
    compare(tokenizer, strings)
  })

  test('the file gives the same tokens', () => compare(readTokenizer(json), strings))
})
