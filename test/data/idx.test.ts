/** The IDX parser: every element type, views of arrays, damaged files. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseIdx } from '../../ts/data/index.js'
import { idxFile } from '../tools/hostile-files.js'

function bigEndian(bytes: number, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(bytes))
  write(view)
  return [...new Uint8Array(view.buffer)]
}

describe('parseIdx', () => {
  test.each([
    ['uint8', 8, [0, 255], [0, 255]],
    ['int8', 9, [-128, 127], [0x80, 0x7f]],
    ['int16', 11, [-2, 258], [0xff, 0xfe, 1, 2]],
    ['int32', 12, [-2, 16909060], [0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4]],
    ['float32', 13, [1.5, -0.25], [...bigEndian(4, (v) => v.setFloat32(0, 1.5)), ...bigEndian(4, (v) => v.setFloat32(0, -0.25))]],
    ['float64', 14, [Math.PI, -1e300], [...bigEndian(8, (v) => v.setFloat64(0, Math.PI)), ...bigEndian(8, (v) => v.setFloat64(0, -1e300))]],
  ] as const)('reads %s', (type, code, values, bytes) => {
    const read = parseIdx(idxFile(code, [2], bytes))
    expect(read.type).toBe(type)
    expect(read.shape).toEqual([2])
    expect([...read.data]).toEqual([...values])
  })

  test('reads an ArrayBuffer, and a view that begins in the middle of one', () => {
    const file = idxFile(8, [2, 3], [1, 2, 3, 4, 5, 6])
    const room = new Uint8Array(file.length + 5)
    room.set(file, 3)
    for (const bytes of [file.slice().buffer, room.subarray(3, 3 + file.length)]) {
      expect(parseIdx(bytes)).toEqual({ type: 'uint8', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) })
    }
  })

  test('gives a copy', () => {
    const file = idxFile(8, [1], [7])
    const { data } = parseIdx(file)
    file.fill(9)
    expect(data[0]).toBe(7)
  })

  test('reads files without elements or dimensions', () => {
    expect(parseIdx(idxFile(8, [0, 28, 28], [])).data).toHaveLength(0)
    expect([...parseIdx(idxFile(8, [], [42])).data]).toEqual([42])
  })

  test.each([
    ['nothing', new Uint8Array(0), /truncated: 0 bytes/],
    ['half a magic number', Uint8Array.of(0, 0, 8), /truncated: 3 bytes/],
    ['half a header', idxFile(8, [2, 3], []).subarray(0, 9), /truncated: a header of 2 dimensions has 12 bytes, but there are 9/],
    ['too few elements', idxFile(8, [2, 3], [1, 2, 3]), /truncated: the header promises uint8 \[2, 3\], 18 bytes, but there are 15/],
    ['too many elements', idxFile(11, [1], [0, 1, 2]), /left over: the header promises int16 \[1\], 10 bytes, but there are 11/],
    ['an unknown type', idxFile(10, [1], [1]), /0x0a is no IDX element type/],
    ['another format', new TextEncoder().encode('%PDF-1.7'), /no IDX file: it must begin with two zero bytes, got 0x2550/],
    ['compressed', new Uint8Array(gzipSync(idxFile(8, [1], [1]))), /gzip-compressed/],
    ['sizes that overflow', idxFile(14, Array(40).fill(0xffffffff), []), /truncated/],
    ['a huge size times none', idxFile(14, [...Array(40).fill(0xffffffff), 0], []), /promises/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'digits')).toThrow(RangeError)
    expect(() => parseIdx(bytes, 'digits')).toThrow(message)
    expect(() => parseIdx(bytes, 'digits')).toThrow(/^digits/)
  })
})
