import { build } from 'esbuild'
import { gzipSync } from 'node:zlib'
const [dir] = process.argv.slice(2)
const progs = {
  program: ["load, Sequential, Dense, Adam, crossEntropy, fit, tensor", 'index.js'],
  sgd: ["SGD, Parameter", 'js.js'],
}
for (const [name, [names, file]] of Object.entries(progs)) {
  const { outputFiles } = await build({ stdin: { contents: `export { ${names} } from '${dir}/dist/${file}'`, resolveDir: '.' }, bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, logLevel: 'silent' })
  console.log(dir, name, gzipSync(outputFiles[0].text, { level: 9 }).length)
}
for (const file of ['index.js','js.js']) {
  const { outputFiles } = await build({ stdin: { contents: `export * from '${dir}/dist/${file}'`, resolveDir: '.' }, bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, logLevel: 'silent' })
  console.log(dir, 'all', file, gzipSync(outputFiles[0].text, { level: 9 }).length)
}
