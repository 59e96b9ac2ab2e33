// Writes pictures of the main pages: node screenshots.mjs FOLDER CHROMIUM
//
// The server has the samples of `serve --demo`. More jobs are added, which really run for a few minutes, so that the pages have
// something to show.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { argv, env, exit } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { chromium } from 'playwright-core'

import { Api } from './api.mjs'
import { cron, deployed, environment, lifecycle, registry, reviewed, workspace } from './world.mjs'

const [folder, executablePath] = argv.slice(2)
const { WINDLASS_URL: url, WINDLASS_TOKEN: token, WINDLASS_LINK: link } = env
/** How long the jobs run before the pictures are taken, in milliseconds. */
const GATHER = Number(env.GATHER ?? 270_000)
const LINES = String.raw`printf '\033[1mReading orders\033[0m\n'; for i in 1 2 3 4 5 6 7 8; do echo "batch $i: $((i * 125)) orders"; sleep 0.4; done; printf '\033[33mwarning:\033[0m 3 orders have no address\n' >&2; printf '\033[32mdone\033[0m: 1000 orders, 3 warnings\n'`
/** Takes as many seconds as the clock says, so that durations differ. */
const some = (least, most) => `sleep $(( ${least} + $(date +%s) % ${most - least} ))`

const JOBS = [
  lifecycle('migrate-database', 'echo "applying 3 migrations"; sleep 1; echo done'),
  cron('order-report', '*/2 * * * *', LINES, { description: 'Sums up the orders of the last minutes' }),
  cron('sync-stock', '* * * * *', `echo "syncing"; ${some(8, 40)}; echo "synced 312 items"`),
  cron('import-prices', '* * * * *', 'echo "connecting to prices.example"; sleep 2; echo "error: connection refused" >&2; exit 1'),
  cron('send-mails', '* * * * *', `${some(2, 15)}; [ $(( $(date +%s) % 5 )) -ne 0 ] || exit 3; echo "sent"`),
  cron('nightly-backup', '30 3 * * *', 'echo "4.2 GB in 12 files"; sleep 6'),
  cron('weekly-invoices', '0 6 * * MON', 'sleep 1', { cpu: 500 }),
  cron('rebuild-search-index', '*/15 * * * *', 'for i in $(seq 600); do echo "segment $i"; sleep 1; done', { max_duration_seconds: 900 }),
]

async function world(api) {
  const organization = (await api.get('/organization')).results[0].id
  await registry(api, organization)
  const project = (await api.post(`/organization/${organization}/project`, { name: 'shop' })).id
  const production = await environment(api, project, 'production', JOBS)
  for (const [key, value] of [['REGION', 'eu-west-1'], ['LOG_LEVEL', 'info'], ['CURRENCY', 'EUR']]) {
    await api.post(`/environment/${production.id}/environmentVariable`, { key, value })
  }
  const deployment = await deployed(api, production.id)
  for (const name of ['order-report', 'nightly-backup', 'weekly-invoices', 'rebuild-search-index']) await api.post(`/job/${production.jobs[name]}/run`)
  const network = await workspace(api, organization, new URL('.', import.meta.url).pathname, 'network')
  const attributes = { templateReference: await reviewed(api, organization), comments: 'A new greeting' }
  const job = await api.create(`organization/${organization}/job`, 'job', attributes, { workspace: { data: { type: 'workspace', id: network } } })
  await api.workspaceJob(organization, job, 'waitingApproval')
  return { organization, production, deployment, job }
}

function pages({ organization, production, deployment, job }, run) {
  const root = `/console/organization/${organization}`
  return {
    overview: root,
    timeline: `${root}/timeline?span=15m`,
    forecast: `${root}/forecast`,
    environments: `${root}/environments`,
    environment: `/console/environment/${production.id}`,
    deployment: `/console/deployment/${deployment}`,
    job: `/console/job/${production.jobs['sync-stock']}`,
    run: `/console/run/${run}`,
    'workspace-job': `/console/workspace-job/${job}`,
    organization: `${root}/settings/tokens`,
  }
}

async function main() {
  const api = new Api(url, token)
  const made = await world(api)
  console.error(`jobs run for ${GATHER / 1000} s`)
  await pause(GATHER)
  const run = (await api.get(`/job/${made.production.jobs['order-report']}/run`)).results.find((row) => row.finished_at).id
  mkdirSync(folder, { recursive: true })
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  const context = await browser.newContext({ baseURL: url, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(link)
  for (const [name, path] of Object.entries(pages(made, run))) {
    for (const [width, height] of [[1440, 810], [390, 844]]) {
      await page.setViewportSize({ width, height })
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme })
        await page.goto(path)
        // A phone is scrolled; its picture has all of the page.
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: width < 500 })
      }
    }
  }
  await browser.close()
}

main().then(() => exit(0), (error) => {
  console.error(error)
  exit(1)
})
