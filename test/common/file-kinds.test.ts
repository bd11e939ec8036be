/** A file of an unexpected kind is recognized by its first bytes and named in the error, for tables and for models. */
import { describe, expect, test } from 'vitest'
import { kindOf } from '../../ts/common/file-kinds.js'
import { readTable } from '../../ts/data/index.js'
import { toOnnx } from '../../ts/export/index.js'
import { Dense, decodeModel, encodeModel, Sequential } from '../../ts/index.js'

const latin = (text: string) => Uint8Array.from([...text].map((c) => c.charCodeAt(0)))
const zip = (entry: string) => latin(`PK\x03\x04${'\0'.repeat(26)}${entry}`)
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1 })

describe('kinds', () => {
  test.each<[string, Uint8Array, string, string]>([
    ['a.csv', zip('[Content_Types].xml'), 'an Excel workbook', 'save its sheet as CSV'],
    ['a.csv', zip('mimetypeapplication/vnd.oasis.opendocument.spreadsheet'), 'an OpenDocument spreadsheet', 'save its sheet as CSV'],
    ['a.xls', latin('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'an old Excel workbook or another Office file', 'save its sheet as CSV'],
    ['a.txt', zip('notes.txt'), 'a zip archive', 'unpack it first'],
    ['a.npz', zip('x.npy'), 'an archive of NumPy arrays', 'parseNpz of gradus/data reads it'],
    ['a.pt', zip('archive/data.pkl'), 'a PyTorch file', 'a model, not a table'],
    ['a.keras', zip('metadata.json'), 'a Keras file', 'a model, not a table'],
    ['a.npy', latin('\x93NUMPY\x01\x00'), 'an array of NumPy', 'parseNpy of gradus/data reads it'],
    ['a.csv', latin('PAR1\x15\x04'), 'a Parquet file', 'name it so that it ends in .parquet'],
    ['a.csv', latin('ARROW1\0\0'), 'an Arrow or Feather file', 'name it so that it ends in .arrow'],
    ['a.csv', latin('%PDF-1.7\n'), 'a PDF', 'copy its table into a spreadsheet'],
    ['a.csv', latin('\x89PNG\r\n\x1a\n'), 'a PNG picture', 'gradus train FOLDER'],
    ['a.csv', latin('\xff\xd8\xff\xe0'), 'a JPEG picture', 'gradus train FOLDER'],
    ['a.csv', latin('<!DOCTYPE html>\n<html>'), 'an HTML page', 'download the file itself'],
    ['a.json', latin('  <html lang="en">'), 'an HTML page', 'download the file itself'],
    ['a.csv', latin('<?xml version="1.0"?>'), 'XML', 'write its table as CSV'],
    ['a.csv', latin('[{"a": 1}]'), 'JSON', 'name it so that it ends in .json'],
    ['a.csv', latin('{"a": 1}\n'), 'JSON lines', 'name it so that it ends in .jsonl'],
    ['a.csv', latin('SQLite format 3\0'), 'an SQLite database', 'write its table as CSV'],
    ['a.csv', latin('\x89HDF\r\n\x1a\n'), 'an HDF5 file', 'write its table as CSV or Parquet'],
    ['a.csv', latin('\x80\x04\x95\x10'), 'a Python pickle', 'write its table as CSV or Parquet'],
    ['a.csv', latin('\x28\xb5\x2f\xfd'), 'a Zstandard file', 'unpack it first'],
    ['a.csv', latin('a\0,\0b\0\n\x001\0,\x002\0\n\0'), 'text in UTF-16 without a byte order mark', "say encoding: 'utf-16le'"],
  ])('%s that is %s', async (name, bytes, kind, remedy) => {
    const error = await readTable(new File([bytes as BlobPart], name)).then(String, (error: Error) => error.message)
    expect(error).toContain(`${name} is ${kind}; `)
    expect(error).toContain(remedy)
    // the same for a stream of single bytes
    async function* pieces() {
      for (const byte of bytes) yield Uint8Array.of(byte)
    }
    await expect(readTable(pieces())).rejects.toThrow(kind)
  })

  test('models are no tables, and nothing else is a model', async () => {
    const [model, onnx] = [encodeModel(net()), toOnnx(net())]
    await expect(readTable(model)).rejects.toThrow('is a safetensors file; a model, not a table')
    await expect(readTable(onnx)).rejects.toThrow('is an ONNX file; a model, not a table')
    expect(() => decodeModel(onnx)).toThrow('no safetensors file, but an ONNX file; fromOnnx of gradus reads it')
    expect(() => decodeModel(latin('a,b\n1,2\n3,4\n'))).toThrow('no safetensors file, but text, as tables are')
    expect(() => decodeModel(zip('archive/data.pkl'))).toThrow('no safetensors file, but a PyTorch file; save its state_dict')
    expect(() => decodeModel(latin('%PDF-1.7\n and more'))).toThrow('no safetensors file, but a PDF')
  })

  test('tables of text are of no kind, and readers read their own', async () => {
    for (const text of ['a,b\n1,2\n', '[a],[b]\n1,2\n', '{a},b\n1,2\n', '"a","b"\n', 'PK,b\n1,2\n', 'id;größe\n', ''])
      expect(kindOf(new TextEncoder().encode(text)), text).toBeUndefined()
    expect(await readTable(new File(['[{"a":1}]'], 'a.json'))).toEqual([{ a: 1 }])
    expect(await readTable(new File(['{"a":1}\n'], 'a.jsonl'))).toEqual([{ a: 1 }])
    expect(await readTable(latin('a\0,\0b\0\n\x001\0,\x002\0\n\0'), { encoding: 'utf-16le' })).toEqual([{ a: '1', b: '2' }])
  })
})
