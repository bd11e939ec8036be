/** The weight of fleets in a program without them: no module, and at most half a kilobyte in its other modules. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import ts from 'typescript'
import { expect, test } from 'vitest'

const MAX_BYTES = 512

/** Members of classes and objects of the core that only fleets use. The code of workers is a string, and not counted. */
const FOR_FLEETS: Record<string, readonly string[]> = {
  'ts/train/run.ts': ['accept'],
  'ts/train/fast/index.ts': ['fleet'],
  'ts/optim/adam.ts': ['scaledByRate'],
  'ts/backend/kernels.ts': [
    ...['SquaredError', 'AbsoluteError', 'Huber', 'BinaryCrossEntropy', 'CrossEntropyIndices', 'CrossEntropyProbabilities'].map(
      (loss) => `fleet${loss}`,
    ),
  ],
  'ts/backend/threads/pool.ts': ['fillTable'],
}

const CORE = "export { load, Sequential, Dense, Adam, crossEntropy, fit, tensor } from './ts/index.ts'"

/** The text without members of these names; those that were found are taken off the list. */
function without(text: string, left: Set<string>): string {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true)
  const cuts: [from: number, to: number][] = []
  const visit = (node: ts.Node): void => {
    const isMember = ts.isMethodDeclaration(node) || ts.isGetAccessor(node) || ts.isPropertyAssignment(node)
    if (isMember && ts.isIdentifier(node.name) && FOR_FLEETS_ALL.has(node.name.text)) {
      left.delete(node.name.text)
      cuts.push([node.getStart(), node.getEnd() + (text[node.getEnd()] === ',' ? 1 : 0)])
    } else ts.forEachChild(node, visit)
  }
  visit(source)
  return cuts.reverse().reduce((rest, [from, to]) => rest.slice(0, from) + rest.slice(to), text)
}

const FOR_FLEETS_ALL = new Set(Object.values(FOR_FLEETS).flat())

async function bundled(leavesOut: boolean): Promise<{ bytes: number; modules: string[] }> {
  const missing: string[] = []
  const { outputFiles, metafile } = await build({
    stdin: { contents: CORE, resolveDir: process.cwd(), loader: 'ts' },
    ...{ bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, metafile: true, loader: { '.wasm': 'empty' } },
    plugins: [
      {
        name: 'without fleets',
        setup({ onLoad }) {
          if (!leavesOut) return
          for (const [file, names] of Object.entries(FOR_FLEETS)) {
            onLoad({ filter: new RegExp(`/${file}$`) }, ({ path }) => {
              const left = new Set(names)
              const contents = without(readFileSync(path, 'utf8'), left)
              missing.push(...[...left].map((name) => `${name} of ${file}`))
              return { contents, loader: 'ts' }
            })
          }
        },
      },
    ],
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  const modules = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0)
  expect(missing, 'members that are there no more').toEqual([])
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, modules }
}

test('a program without fleets carries half a kilobyte of them at most', async () => {
  const [whole, stripped] = await Promise.all([bundled(false), bundled(true)])
  expect(whole.modules.filter((path) => /train\/fleet|backend\/fleet|generated\/fleet/.test(path))).toEqual([])
  const bytes = whole.bytes - stripped.bytes
  console.log(`of ${whole.bytes} bytes, ${bytes} are for fleets`)
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES)
})
