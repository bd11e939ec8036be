/** The configuration of the suite for `make mutants`: tests of the file CHANGED first, then those of its folder, the short ones before the long. */
import path from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import config from '../../vitest.config.js'

const { dir, name } = path.parse((process.env.CHANGED ?? '').replace(/^ts/, 'test'))

class NearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { cache, config } = this.ctx
    const costs = new Map(
      files.map((spec) => {
        const file = path.relative(config.root, spec.moduleId)
        const own = path.parse(file)
        const far = own.dir !== dir ? 2 : own.name.split('.')[0] !== name ? 1 : 0
        return [spec, 1e9 * far + (cache.getFileTestResults(`${spec.project.name}:${file}`)?.duration ?? 1e6)]
      }),
    )
    return [...files].sort((a, b) => (costs.get(a) as number) - (costs.get(b) as number))
  }
}

export default { ...config, test: { ...config.test, sequence: { sequencer: NearestFirst } } }
