/**
 * The accuracy of `gradus train --time`: times the command on tables of .cache/tables (`make tables` puts them there), from the start of the process
 * to its end. The time includes the start of Node and the effects of a busy machine.
 *
 *   node --import tsx bench/tables/time.ts [seconds, 10] [tables, ames,diamonds,wine,credit,wage,oj]      after `make build`
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const [seconds = '10', names = 'ames,diamonds,wine,credit,wage,oj'] = process.argv.slice(2)
const FOLDER = '.cache/tables'
const about = JSON.parse(readFileSync(`${FOLDER}/tables.json`, 'utf8')) as Record<string, { target: string }>

console.log('| table | seconds | beside the budget | nets trained | score |\n| --- | ---: | ---: | ---: | ---: |')
for (const name of names.split(',')) {
  const files = [`${FOLDER}/${name}.0.train.csv`, '--test', `${FOLDER}/${name}.0.test.csv`, '--out', `${FOLDER}/${name}.safetensors`]
  const began = performance.now()
  const text = execFileSync(
    process.execPath,
    ['dist/cli.js', 'train', ...files, '--target', about[name].target, '--time', `${seconds}s`, '--json'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const took = (performance.now() - began) / 1000
  const { nets, metrics } = JSON.parse(text) as { nets: { trained: number }; metrics: { name: string; value: number }[] }
  const off = 100 * (took / Number(seconds) - 1)
  console.log(
    `| ${name} | ${took.toFixed(2)} | ${off >= 0 ? '+' : '−'}${Math.abs(off).toFixed(1)} % | ${nets.trained} | ${metrics[0].name} ${metrics[0].value.toFixed(3)} |`,
  )
}
