/** Every file says the version of its format. One that a later version wrote is refused, with the remedy. */
import { expect, test } from 'vitest'
import { encoderFromState, fitScaler, fromTable, scalerFromState } from '../../ts/data/index.js'
import { decodeSafetensors } from '../../ts/export/index.js'
import { loadImageModel } from '../../ts/images/index.js'
import { Dense, decodeModel, decodeState, encodeModel, encodeState } from '../../ts/index.js'
import { loadSeriesModel } from '../../ts/series/index.js'
import { loadTableModel } from '../../ts/table/index.js'
import { withHeader } from '../tools/model-files.js'

const withParts = (parts: Record<string, unknown>) => encodeModel(new Dense(1, 1), parts)

/** A later format, and who reads it. */
const LATER: readonly [who: string, format: string, read: (format: string) => unknown][] = [
  ['decodeModel', 'gradus-model/2', (format) => decodeModel(withHeader({}, '{}', format))],
  ['decodeState', 'gradus-state/12', (format) => decodeState(withHeader({}, '{}', format))],
  ['encoderFromState', 'gradus-table/2', (format) => encoderFromState({ format } as never)],
  ['scalerFromState', 'gradus-scaler/2', (format) => scalerFromState({ format } as never)],
  ['loadTableModel', 'gradus-table-model/2', (format) => loadTableModel(withParts({ tableModel: JSON.stringify({ format }) }))],
  ['loadSeriesModel', 'gradus-series/2', (format) => loadSeriesModel(encodeState({ series: { format } }))],
  ['loadImageModel', 'gradus-images/2', (format) => loadImageModel(withParts({ images: { format } }))],
]

test.each(LATER)('%s refuses %s', async (who, format, read) => {
  const today = format.replace(/\d+$/, '1')
  await expect((async () => read(format))()).rejects.toThrow(
    `${who}: the file has the format '${format}', this version of gradus reads ${today}; use a newer one`,
  )
})

test('what is saved says version 1', () => {
  expect(Object.keys(decodeSafetensors(encodeModel(new Dense(1, 1))).metadata)).toContain('gradus-model/1')
  expect(Object.keys(decodeSafetensors(encodeState({ a: 1 })).metadata)).toContain('gradus-state/1')
  expect(fitScaler([1, 2], 1).state().format).toBe('gradus-scaler/1')
  expect(fromTable([{ x: 1, y: 2 }], { target: 'y' }).state().format).toBe('gradus-table/1')
})
