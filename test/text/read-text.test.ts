/** Text of bytes: every cut of the bytes gives the same text, and a wrong byte is named by its position. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Generator } from '../../ts/index.js'
import { readText, streamText } from '../../ts/text/index.js'

const utf8 = new TextEncoder()
/** Bytes in pieces of random sizes. */
async function* pieces(bytes: Uint8Array, random: Generator) {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random.next() * 4)
    yield bytes.subarray(at, at + size)
    at += size
  }
}
const all = async (lines: AsyncIterable<string>) => {
  const out: string[] = []
  for await (const line of lines) out.push(line)
  return out
}

describe('readText and streamText', () => {
  const text = 'Grüße, 世界 🐈\r\nzwei\n\nEnde'
  test('read text, packed or not, with a mark or without', async () => {
    const random = new Generator(1)
    for (let i = 0; i < 50; i++) {
      expect(await readText(pieces(utf8.encode(text), random))).toBe(text)
      expect(await all(streamText(pieces(utf8.encode(text), random)))).toEqual(['Grüße, 世界 🐈\r\n', 'zwei\n', '\n', 'Ende'])
    }
    expect(await readText(gzipSync(text))).toBe(text)
    expect(await readText(utf8.encode(`\ufeff${text}`))).toBe(text)
    expect(await readText(Uint8Array.of(0xff, 0xfe, 0x41, 0, 0x42, 0))).toBe('AB')
    expect(await readText(Uint8Array.of(0x47, 0xfc), { encoding: 'windows-1252' })).toBe('Gü')
    expect(await readText(new Uint8Array())).toBe('')
    expect(await all(streamText(new Uint8Array()))).toEqual([])
    expect(await all(streamText(utf8.encode('a\n')))).toEqual(['a\n'])
  })

  test('name the first byte that is none, wherever a piece ends', async () => {
    const random = new Generator(2)
    for (let i = 0; i < 200; i++) {
      const before = utf8.encode(
        Array.from({ length: Math.floor(random.next() * 12) }, () => ['a', 'é', '世', '🐈'][Math.floor(random.next() * 4)]).join(''),
      )
      const wrong = [[0xff], [0xc3, 0x41], [0xe4, 0xb8], [0xf0, 0x9f, 0x90], [0x80], [0xed, 0xa0, 0x80]][Math.floor(random.next() * 6)]
      const bytes = Uint8Array.from([...before, ...wrong])
      for (const source of [bytes, pieces(bytes, random)])
        await expect(readText(source), String([...bytes])).rejects.toThrow(
          `is no UTF-8 at byte ${before.length}; say how the text is encoded`,
        )
    }
  })

  test('refuse other sources and encodings', async () => {
    await expect(readText(5 as never)).rejects.toThrow(/data are read from/)
    await expect(readText(utf8.encode('a'), { encoding: 'klingon' })).rejects.toThrow(
      /^readText: encoding wants a name that TextDecoder knows.*'klingon'/,
    )
    await expect(readText('no-such-file.txt')).rejects.toThrow(/no-such-file.txt/)
    await expect(all(streamText(Uint8Array.of(0xff)))).rejects.toThrow(/^streamText: .* is no UTF-8 at byte 0/)
    await expect(readText(Uint8Array.of(0xff, 0xfe, 0x41), {})).rejects.toThrow(/is no UTF-16LE at byte 2/)
  })
})
