/** A thing of one room in the hands of another function: the error says what it is, and where the right one lies. */
import { beforeAll, expect, test } from 'vitest'
import { toFunction, toOnnx, toPyTorch } from '../../ts/export/index.js'
import * as head from '../../ts/head/index.js'
import * as images from '../../ts/images/index.js'
import { createBackend, Dense, encodeModel } from '../../ts/index.js'
import * as series from '../../ts/series/index.js'
import * as table from '../../ts/table/index.js'
import * as tune from '../../ts/tune/index.js'
import * as xray from '../../ts/xray/index.js'

let result: { model: table.TableModel; report: table.TableModelReport }
beforeAll(async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ a: i % 7, y: i % 2 ? 'yes' : 'no' }))
  result = await table.trainTable(rows, { target: 'y', hidden: [] })
})

test.each(Object.entries({ head, images, series, table, tune, xray }))(
  'a report of %s is one of its own',
  (_, { reportHtml, reportText }) => {
    for (const show of [reportHtml, reportText] as ((given: unknown) => string)[])
      for (const given of [undefined, null, 3, 'report', [], {}, new Dense(1, 1), result])
        expect(() => show(given)).toThrow(/^report(Html and reportText want|Html: wants|Text: wants) .*, got /)
  },
)

test('a result that holds the right one is named with it', async () => {
  const { model, report } = result
  expect(() => table.reportText(result as never)).toThrow('got an object with model, report; give its report')
  expect(() => table.reportHtml(model as never)).toThrow('want the report of trainTable')
  expect(table.reportText(report)).toContain('accuracy')
  expect(() => table.evaluateTable(result as never, [])).toThrow('got an object with model, report; give its model')
  for (const [who, exported] of Object.entries({ toOnnx, toFunction, toPyTorch }))
    expect(() => exported(model as never)).toThrow(`${who}: wants a model, got a TableModel; its net is one, model.net`)
  const own = await head.trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['a', 'a', 'b', 'b']) // biome-ignore format: one line
  expect(() => toOnnx(own as never)).toThrow('toOnnx: wants a model, got a Head; await head.toModel() is one')
  expect(() => encodeModel(model)).toThrow('got a TableModel; its own save(path) writes it')
})

test('a name that is nearly right is named', () => {
  expect(() => new Dense(1, 1, { activation: 'ReLU' as never })).toThrow("got 'ReLU'; did you mean 'relu'?")
  expect(() => new Dense(1, 1, { activation: 'swish' as never })).toThrow("got 'swish'; did you mean 'silu'?")
  expect(() => createBackend({ backend: 'JS' as never })).toThrow("backend wants 'wasm' or 'js', got 'JS'; did you mean js?")
})
