// Drives the console in a browser: node main.mjs PORT CONSOLE-SOURCE CHROMIUM
//
// The server runs jobs as processes, and has the OIDC provider of this program, at 127.0.0.1:PORT, as its issuer. Every route in the source
// of the console has to be visited. ONLY=NAME does only the parts with such a name, and PICTURES=FOLDER writes pictures of the pages.

import { mkdirSync } from 'node:fs'
import { argv, env, exit } from 'node:process'
import { chromium } from 'playwright-core'

import { Api } from './api.mjs'
import { check } from './check.mjs'
import { createEnvironment, tendEnvironment, tendVariables } from './environments.mjs'
import { hostileWorld, seeHostile } from './hostile.mjs'
import { createJob, deployVersions, tendCheck, tendJob } from './jobs.mjs'
import { keyboard, logGrows, readsWithoutScript, statesChange } from './live.mjs'
import { allowProgram, createOrganization, seeOrganization, tendAccount, tendMember, tendSettings, tendTokens } from './organization.mjs'
import { join, startProvider } from './people.mjs'
import { foreignFormsAreRefused, strangerFindsNothing, viewerIsNotTempted } from './rights.mjs'
import { routes } from './routes.mjs'
import { tendAlerts, tendSettingForms, tendSharedSettings } from './settings_forms.mjs'
import { refusesForeignAnswers, signIn, withAccount } from './sign_in.mjs'
import { createWorkspace, tendWorkspace } from './workspaces.mjs'
import { Visitor } from './visitor.mjs'
import { cron, deployed, environment, lifecycle, quietSchedule, registry, reviewed, workspace } from './world.mjs'

const [port, source, executablePath] = argv.slice(2)
const { WINDLASS_URL: url, WINDLASS_TOKEN: token, WINDLASS_LINK: link, PICTURES: pictures, ONLY: only } = env
const FOLDER = new URL('.', import.meta.url).pathname.slice(0, -1)
/** Pages of an organization. */
const tabs = ['timeline', 'forecast', 'environments', 'workspaces', 'settings', 'settings/roles', 'settings/tokens', 'settings/logins', 'settings/clusters', 'settings/webhooks', 'settings/push-hooks', 'settings/calendars', 'settings/terraform', 'settings/private-registry', 'settings/alerts', 'settings/events']
/** Without these, no other part works. */
const FIRST = ['a world', 'sign-in']

/** Prints how long a part took. */
async function part(name, act) {
  if (only && !FIRST.includes(name) && !name.includes(only)) return undefined
  const begun = Date.now()
  const made = await act()
  console.error(`  ${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`)
  return made
}

/** Writes a picture of every page, to look at. */
async function picture(page, name, width) {
  mkdirSync(pictures, { recursive: true })
  const file = name.replace(/^\/console\/?/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID').replaceAll('/', '_') || 'home'
  await page.screenshot({ path: `${pictures}/${file}-${width}.png`, fullPage: true })
}

async function world(api) {
  const organization = (await api.get('/organization')).results[0].id
  const project = (await api.post(`/organization/${organization}/project`, { name: 'shop' })).id
  await registry(api, organization)
  const jobs = [
    lifecycle('migrate', 'echo migrating; sleep 0.1'),
    cron('report', quietSchedule(), 'echo hello you; echo oops >&2; sleep 0.2'),
    cron('import', quietSchedule(), 'echo importing; exit 4'),
  ]
  const shop = await environment(api, project, 'staging', jobs)
  await deployed(api, shop.id)
  for (const name of ['report', 'report', 'import', 'import']) await api.ended((await api.post(`/job/${shop.jobs[name]}/run`)).id)
  const place = { name: 'hook', kind: 'STANDARD', target_url: `${url}/health`, events: ['DEPLOYMENT_STARTED', 'DEPLOYMENT_SUCCESSFUL'], enabled: true }
  await api.post(`/organization/${organization}/webhook`, place)
  const run = (await api.get(`/job/${shop.jobs.report}/run`)).results[0].id
  const module = await workspace(api, organization, FOLDER, 'network')
  const template = await reviewed(api, organization)
  return { organization, project, shop, run, module, template }
}

async function main() {
  const api = new Api(url, token)
  const provider = await startProvider(Number(port), url)
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  const all = routes(source)
  const scene = { url, browser, routes: all, visited: new Set(), addresses: new Map(), picture: pictures && picture }
  const made = await part('a world', () => world(api))
  const { organization, project, shop, run, module, template } = made
  const me = await Visitor.open(scene)
  await part('sign-in', async () => {
    await signIn(scene, me, link, token)
    await refusesForeignAnswers(scene)
  })
  await part('jobs and their environment', async () => {
    const here = await createEnvironment(me, organization)
    await tendJob(me, api, await createJob(me, here))
    await tendCheck(me, api, here)
    await tendEnvironment(me, api, here)
  })
  await part('variables', () => tendVariables(me, project, shop.id, shop.jobs.report))
  await part('the organization', async () => {
    await seeOrganization(me, organization)
    await me.visit(`/console/environment/${shop.id}`)
    for (const one of Object.values(shop.jobs)) await me.visit(`/console/job/${one}`)
    await deployVersions(me, shop.id, shop.jobs.report)
    await tendSettings(me, api, organization)
    await tendSettingForms(me, organization)
    await tendSharedSettings(me, api, organization)
  })
  await part('alerts', () => tendAlerts(me, api, organization, shop.jobs.import))
  await part('workspaces', async () => {
    await tendWorkspace(me, api, organization, module, template)
    await createWorkspace(me, organization, `file://${FOLDER}/module-network`)
  })
  await part('open pages', async () => {
    await logGrows(scene, me, api, shop.jobs.report)
    await statesChange(me, api, organization, shop.jobs.import)
    await keyboard(me, [`/console/organization/${organization}`, `/console/job/${shop.jobs.report}`, `/console/run/${run}`, `/console/environment/${shop.id}`])
    const plain = await Visitor.open(scene, { javaScriptEnabled: false, storageState: await me.context.storageState() })
    await readsWithoutScript(plain, organization, shop.jobs.report, run)
    await plain.close()
  })
  await part('hostile texts', async () => seeHostile(me, await hostileWorld(api, organization)))
  await part('other people', async () => {
    // One of each kind that somebody else has no business with.
    const own = [...scene.addresses.values()].filter(({ pathname }) => !/^\/console(\/(account(\/tokens)?|organizations\/new|assets\/.*|sign-in.*|schedule\/preview))?$/.test(pathname))
    const addresses = [...own.map(({ pathname }) => pathname), ...tabs.map((tab) => `/console/organization/${organization}/${tab}`), `/console/job/${shop.jobs.report}`, `/console/run/${run}`, `/console/environment/${shop.id}`]
    const parts = own.filter(({ kind }) => kind === 'part').map(({ pathname }) => pathname)
    const pages = [...new Set(addresses)].filter((path) => !parts.includes(path))
    const alice = await withAccount(scene, provider.issuer, 'alice')
    await strangerFindsNothing(alice, addresses)
    await foreignFormsAreRefused(me, pages)
    await join(alice, 'alice@example.invalid', me, organization)
    await viewerIsNotTempted(alice, pages)
    await tendMember(me, api, organization, 'alice@example.invalid')
    await alice.close()
    const other = await Visitor.open(scene)
    await other.page.goto('/console/sign-in')
    await other.page.getByLabel('API token').fill(token)
    await other.press('Sign in')
    await tendAccount(me, other)
    await tendTokens(me)
    await allowProgram(me)
    await createOrganization(me)
    await other.close()
  })
  const missed = only ? [] : all.filter((route) => !scene.visited.has(route))
  check(missed.length === 0, `nothing visits:\n${missed.join('\n')}`)
  await me.close()
  await browser.close()
  provider.close()
  console.log(`Console: ${all.length} routes, with axe in light and dark at ${[1440, 390].join(' and ')} px`)
}

main().then(() => exit(0), (error) => {
  console.error(error)
  exit(1)
})
