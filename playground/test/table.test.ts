/** Tables that people drop on the page. */
import { expect, test } from 'vitest'
import { columns, tableExamples } from '../src/train/table'

const choice = (csv: string, target = '') => ({ kind: 'csv' as const, count: 0, noise: 0, seed: 1, points: [], csv, target })
const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i)).join('\n')
const labelsOf = ({ train, test }: ReturnType<typeof tableExamples>) => [...train.labels, ...test.labels]

test('numbers are inputs of mean 0 and deviation 1, the last column is the class', () => {
  const table = tableExamples(choice(`a,b,kind\n${rows(10, (i) => `${i},${100 - i * i},${i < 4 ? 'cat' : '"big, dog"'}`)}`))
  expect(table).toMatchObject({ features: 2, classes: 2, featureNames: ['a', 'b'], classNames: ['big, dog', 'cat'], note: '10 rows' })
  expect(labelsOf(table).filter((label) => label === 1)).toHaveLength(4)
  const first = [...table.train.inputs, ...table.test.inputs].filter((_, i) => i % 2 === 0)
  expect(first.reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 5)
  expect(first.reduce((sum, v) => sum + v * v, 0) / 10).toBeCloseTo(1, 5)
})

test('semicolons bring decimal commas, and any column may be the class', () => {
  const csv = `\uFEFFkind;a;b\r\n${rows(8, (i) => `${'xy'[i % 2]};${i},5;${-i}`)}\r\n`
  expect(columns({ csv })).toEqual(['kind', 'a', 'b'])
  expect(tableExamples(choice(csv, 'kind'))).toMatchObject({ features: 2, classNames: ['x', 'y'], featureNames: ['a', 'b'] })
})

test('rows with gaps and columns that are no numbers are left out, which is said', () => {
  const csv = `a,b,place,kind\n${rows(12, (i) => `${i === 3 ? 'NA' : i},${i === 5 ? '' : i * i},here,${i % 3}`)}`
  const table = tableExamples(choice(csv))
  expect(table.note).toBe('10 rows; 2 with gaps left out; not numbers, so left out: place')
  expect(table.train.count + table.test.count).toBe(10)
})

test.each([
  ['', /choose a file/],
  ['a,kind\n1,x\n2,y\n3,x\n4,y', /two columns of numbers beside the class, got 1/],
  ['a,b,kind\n1,2,x\n2,3,y', /four rows without gaps at least, got 2/],
  [`a,b,c\n${rows(20, (i) => `${i},${i},${i}`)}`, /'c' has 20 values: a class to predict has 2 to 10/],
])('what a table lacks is said (%#)', (csv, reason) => {
  expect(() => tableExamples(choice(csv))).toThrow(reason)
})
