/** Declarations of the sources by TypeScript 7, which writes all of them within seconds. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Writes the declarations of files in ts/, and of all that they import, to an empty folder, as in ts/.
 * @param options of the compiler, besides those of the project
 */
export function writeDeclarations(folder: string, files: readonly string[], options: object = {}): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const project = path.join(folder, 'tsconfig.json')
  const emits = { noEmit: false, noEmitOnError: true, declaration: true, emitDeclarationOnly: true }
  const places = { outDir: path.resolve(folder), rootDir: path.resolve('ts'), typeRoots: [path.resolve('node_modules/@types')] }
  const given = { extends: path.resolve('tsconfig.json'), files: files.map((file) => path.resolve(file)), include: [] }
  writeFileSync(project, JSON.stringify({ ...given, compilerOptions: { ...emits, ...places, ...options } }))
  execFileSync(process.execPath, ['node_modules/typescript-7/bin/tsc', '-p', project], {
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}
