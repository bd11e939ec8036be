/** Modules that a worker runs: only those that it was started with, whatever a job names. */
import { plainError, rangeError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { show, showNames } from '../../common/show.js'
import type { Fs } from '../node.js'
import { type ModuleVersion, shortHash, versionOf } from '../parallel/module-version.js'
import { type JobObjective, optionFor } from './job.js'

/** A module that a worker may run. */
export interface WorkerModule {
  /** Its URL, `file:…`, or the path of a file. */
  module: URL | string
  /** Exported functions, one of which a study calls as its factory. Default: none, the default export is the objective. */
  factories?: readonly string[]
  /** Checks the options that a study passes to the factory, and returns the options for the call. Default: unchecked. */
  options?: (options: unknown) => unknown
}

/** @internal which modules a worker may run */
export interface Allowed {
  /** By name. */
  modules: Readonly<Record<string, URL | string | WorkerModule>>
  /** Folder of modules that a study may name by their path in it. */
  folder?: string
}

/** @internal a module that a worker runs for a job */
export interface AllowedModule {
  file: string
  version: ModuleVersion
  options: unknown
}

/** Names of modules in a folder: no way out of it, nothing hidden. */
const IN_FOLDER = /^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.[cm]?[jt]s$/

/** @internal the module for the objective of a job. @throws Error that says why this worker does not run it */
export async function allowedModule({ name, hash, factory, options }: JobObjective, allowed: Allowed): Promise<AllowedModule> {
  const found = Object.hasOwn(allowed.modules, name) ? allowed.modules[name] : await inFolder(name, allowed.folder)
  if (found === undefined) throw plainError(unknown({ name, options }, allowed))
  const {
    module,
    factories,
    options: check,
  } = typeof found === 'string' || found instanceof URL ? ({ module: found } as WorkerModule) : found
  if (factories && !(factory !== undefined && factories.includes(factory)))
    throw rangeError(`${show(name)} has ${showNames(factories)} for studies, got ${factory === undefined ? 'no factory' : show(factory)}`)
  if (!factories && factory !== undefined)
    throw rangeError(
      `${show(name)} has its default export for studies, got the factory ${show(factory)}; start the worker with runWorker(url, { modules: { ${show(name)}: { module: './objective.js', factories: [${show(factory)}] } } })`,
    )
  const file = await pathOf(module)
  const version = await versionOf(file)
  if (hash !== undefined && hash !== version.hash)
    throw plainError(
      `${name} has version ${shortHash(version.hash)} here, and the study wants ${shortHash(hash)}; copy the module of the study to this machine, or run the study again`,
    )
  return { file, version, options: check ? check(options) : options }
}

/** @internal the path of a module, with symbolic links resolved. @throws RangeError for a URL that is not a file's */
export async function pathOf(module: URL | string): Promise<string> {
  const [fs, { fileURLToPath }] = await Promise.all([nodeModule<Fs>('node:fs'), nodeModule<typeof import('node:url')>('node:url')])
  const text = module instanceof URL ? module.href : module
  // the drive letter of a Windows path is not a scheme
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(text)?.[1]
  if (scheme !== undefined && scheme !== 'file') throw rangeError(`a module wants to be a file, got ${show(text)}`)
  try {
    return fs.realpathSync(scheme === 'file' ? fileURLToPath(text) : text)
  } catch (error) {
    throw plainError(`there is no module ${show(text)}`, { cause: error })
  }
}

async function inFolder(name: string, folder: string | undefined): Promise<string | undefined> {
  if (folder === undefined || !IN_FOLDER.test(name)) return undefined
  const [fs, path] = await Promise.all([nodeModule<Fs>('node:fs'), nodeModule<typeof import('node:path')>('node:path')])
  try {
    const home = fs.realpathSync(folder)
    const file = fs.realpathSync(path.join(home, name))
    return file.startsWith(home + path.sep) && fs.statSync(file).isFile() ? file : undefined
  } catch {
    return undefined
  }
}

function unknown({ name, options }: JobObjective, { modules, folder }: Allowed): string {
  const names = Object.keys(modules)
  const there = [...(names.length > 0 ? [showNames(names)] : []), ...(folder === undefined ? [] : [`the modules in ${folder}`])]
  return (
    `this worker has no module ${show(name)}${there.length > 0 ? `, only ${there.join(' and ')}` : ''}; ` +
    `a worker runs what it was started with, such as gradus tune worker … ${optionFor({ name, options })}`
  )
}
