/**
 * `make bench-page`: writes .cache/bench.html, one file with everything inside, which compares WebAssembly with JavaScript in whatever browser opens
 * it, from disk or from any server. `node --import tsx bench/page/build.ts [FILE]`
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** The page as text. */
export async function page(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('./page.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    write: false,
  })
  // a script ends at the first such tag, wherever it stands
  const program = outputFiles[0].text.replaceAll('</script', '<\\/script')
  return readFileSync(here('./page.html'), 'utf8').replace('/* page.ts */', () => program)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.resolve(process.argv[2] ?? '.cache/bench.html')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, await page())
  console.log(`open ${pathToFileURL(file).href} in a browser`)
}
