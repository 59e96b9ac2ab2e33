// The forms of the settings of an organization: each creates, is refused, changes and deletes.

import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

import { check, until } from './check.mjs'

const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }],
  contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  users: [{ name: 'a', user: { token: 'hush-hush' } }],
  'current-context': 'a',
})

/** Follows the link to a new row, is refused without what is `wrong`, and creates the row. */
async function create(me, link, wrong, right) {
  await me.press(link)
  await me.look()
  await me.fill({ ...right, ...wrong })
  await me.refused(400, () => me.press('Save'))
  await me.look()
  await me.fill(right)
  await me.send('Save', 'The change was stored.')
  await me.look()
}

/** Changes a row that `link` leads to; the page shows no secret. */
async function change(me, link, fields) {
  await me.press(link)
  await me.look()
  check(!(await me.page.content()).includes('hush-hush'), `${me.path()} shows a secret`)
  await me.fill(fields)
  await me.send('Save', 'The change was stored.')
}

async function remove(me, link) {
  await me.press(link)
  await me.send('Delete', 'The entry was deleted.')
}

/** A cluster without a kubeconfig gets an agent, whose token is shown once. */
async function tendAgents(me, path) {
  await create(me, 'New cluster', { Kubeconfig: 'nonsense' }, { Name: 'out of reach', Region: 'hall', Kubeconfig: '' })
  await me.click(me.page.locator('tr', { hasText: 'out of reach' }).getByRole('link', { name: 'use agents instead' }))
  await me.look()
  await me.fill({ Name: '  ' })
  await me.refused(400, () => me.press('Create'))
  await me.look()
  await me.fill({ Name: 'of a browser' })
  await me.press('Create')
  await me.sees('Copy the command now')
  await me.look()
  await me.click(me.page.locator('tr', { hasText: 'of a browser' }).getByRole('button', { name: 'Revoke' }))
  await me.sees('There are no agents yet')
  await me.go(`${path}/clusters`)
  await remove(me, 'out of reach')
}

/** A push hook, whose secret is shown once. */
async function tendPushHooks(me, path) {
  await me.go(`${path}/push-hooks`)
  await me.fill({ Name: '  ' })
  await me.refused(400, () => me.press('Create'))
  await me.look()
  await me.fill({ Name: 'of a browser' })
  await me.press('Create')
  await me.sees('This is the secret of of a browser.')
  await me.look()
  await me.press('New secret')
  await me.sees('This is the secret of of a browser.')
  await me.send('Delete', 'The push hook was deleted.')
  await me.look()
}

export async function tendSettingForms(me, id) {
  const { page } = me
  const path = `/console/organization/${id}/settings`
  await me.go(`${path}/logins`)
  await create(me, 'New registry', { Name: '  ' }, { Name: 'images here', Kind: 'GENERIC_CR', URL: 'https://registry.invalid' })
  await change(me, 'images here', { Description: 'Changed in the console' })
  await me.press('images here')
  await me.fill({ Image: 'UPPER case' })
  await me.press('List its tags')
  await me.look()
  await me.send('Delete', 'The entry was deleted.')
  const login = { Name: 'code here', Provider: 'GITLAB', Token: 'hush-hush' }
  await create(me, 'New git login', { Name: '  ' }, login)
  await change(me, 'code here', { Description: 'Changed in the console' })
  await remove(me, 'code here')

  await me.go(`${path}/clusters`)
  await create(me, 'New cluster', { Kubeconfig: 'nonsense' }, { Name: 'far away', Region: 'moon', Kubeconfig: '' })
  await change(me, 'far away', { Region: 'mars' })
  await tendAgents(me, path)
  await me.press('far away')
  await me.fill({ Kubeconfig: KUBECONFIG })
  await me.send('Replace', 'The change was stored.')
  await me.look()
  await remove(me, 'far away')

  await me.go(`${path}/webhooks`)
  const target = `${me.scene.url}/health?of=a-form`
  await me.press('New webhook')
  await me.look()
  await me.fill({ URL: target, Secret: 'hush-hush' })
  await me.refused(400, () => me.press('Save'))
  await me.look()
  await page.locator('main input[name=events]').first().check()
  await me.fill({ Secret: 'hush-hush' })
  await me.send('Save', 'The change was stored.')
  await change(me, `Edit the webhook of ${target}`, { Enabled: false })
  await remove(me, `Edit the webhook of ${target}`)

  await tendPushHooks(me, path)

  await me.go(`${path}/calendars`)
  await create(me, 'New calendar', { Days: 'tomorrow' }, { Name: 'holidays', Days: '2099-12-25', 'Every week': 'SUNDAY 00:00 to 24:00' })
  await change(me, 'Edit the calendar holidays', { Description: 'Changed in the console' })
  await remove(me, 'Edit the calendar holidays')

  await me.go(`${path}/roles`)
  await create(me, 'New role', { Name: '  ' }, { Name: 'on call', 'Everything in shop': true })
  await change(me, 'Edit on call', { 'Everything in shop': false, 'shop, Staging': { index: 1 } })
  await remove(me, 'Edit on call')
}

/** A public key: its text form around a packet of version 4. */
function publicKey() {
  const packet = Buffer.from([0x98, 20, 4, ...Array(19).keys()])
  return `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${packet.toString('base64')}\n-----END PGP PUBLIC KEY BLOCK-----\n`
}

/** An archive with one empty file. */
function emptyZip(name) {
  const file = Buffer.from(name)
  const numbers = (...all) => Buffer.concat(all.map(([bytes, value]) => { const one = Buffer.alloc(bytes); one.writeUIntLE(value, 0, bytes); return one }))
  const about = numbers([2, 20], [2, 0], [2, 0], [4, 0x21], [4, 0], [4, 0], [4, 0], [2, file.length], [2, 0])
  const local = Buffer.concat([numbers([4, 0x04034b50]), about, file])
  const central = Buffer.concat([numbers([4, 0x02014b50], [2, 20]), about, numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, 0]), file])
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, 1], [2, 1], [4, central.length], [4, local.length], [2, 0])
  return Buffer.concat([local, central, end])
}

/** Keys that sign providers, and a provider that was uploaded, with its versions and platforms. */
async function tendProviders(me, api, id) {
  const path = `/console/organization/${id}/settings/private-registry`
  await me.go(path)
  await create(me, 'New signing key', { 'Public key': 'nonsense' }, { 'Public key': publicKey() })
  await me.click(me.page.locator('table', { hasText: 'Signing keys' }).getByRole('button', { name: 'Delete' }))
  await me.sees('The entry was deleted.')
  const zip = emptyZip('terraform-provider-own')
  const sum = createHash('sha256').update(zip).digest('hex')
  for (const version of ['1.0.0', '1.1.0']) {
    const name = `terraform-provider-own_${version}`
    const files = `/v1/providers/${id}/own/${version}/files/${name}`
    await api.upload(`${files}_SHA256SUMS`, `${sum}  ${name}_linux_amd64.zip\n`)
    await api.upload(`${files}_linux_amd64.zip`, zip)
  }
  await me.visit(path)
  await me.click(me.page.locator('main a', { hasText: '/own' }).first())
  await me.look()
  await me.click(me.page.locator('table').first().getByRole('button', { name: 'Delete' }))
  await me.sees('There are no platforms yet.')
  await me.look()
  await me.send('Delete the version', 'The entry was deleted.')
  await me.look()
  await me.send('Delete the provider', 'The entry was deleted.')
  await me.sees('There are no providers yet.')
}

/** What workspaces share, and the alerts of the organization. */
export async function tendSharedSettings(me, api, id) {
  const path = `/console/organization/${id}/settings`
  await me.visit(`${path}/terraform`)
  const flow = 'flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n'
  await create(me, 'New template', { Flow: 'flow: [' }, { Name: 'only plans', Flow: flow })
  await change(me, 'only plans', { Description: 'Changed in the console' })
  await remove(me, 'only plans')
  const fields = { Name: 'region_of_all', Value: 'hush-hush', 'Sensitive: sealed, masked in logs, and never shown again': true }
  await create(me, 'New variable', { Name: '9 is none' }, fields)
  await change(me, 'region_of_all', { Description: 'Changed in the console' })
  await remove(me, 'region_of_all')
  const connection = { Name: 'modules here', Type: 'GITLAB', 'Access token': 'hush-hush' }
  await create(me, 'New VCS connection', { Endpoint: 'https://user:word@git.invalid' }, { ...connection, Endpoint: '' })
  await change(me, 'modules here', { Description: 'Changed in the console' })
  await remove(me, 'modules here')
  await create(me, 'New SSH key', { Name: '  ' }, { Name: 'key here', 'Private key': 'hush-hush' })
  await change(me, 'key here', { 'Known hosts': '', Description: 'Changed in the console' })
  await remove(me, 'key here')
  await me.visit(`${path}/private-registry`)
  const module = { Name: 'network', System: 'aws', Repository: 'https://git.invalid/modules.git', 'Prefix of tags': 'network/' }
  await create(me, 'New module', { Name: 'no name' }, module)
  await me.send('Refresh', 'The tags of the module could not be read. The list says why.')
  await change(me, 'network/aws', { Description: 'Changed in the console' })
  await remove(me, 'network/aws')
  await tendProviders(me, api, id)
}

/** A receiver that accepts everything until it is closed. */
async function startReceiver() {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()))
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const close = () => new Promise((closed) => { server.close(closed); server.closeAllConnections() })
  return { url: `http://127.0.0.1:${server.address().port}`, close }
}

export async function tendAlerts(me, api, id, job) {
  const receiver = await startReceiver()
  const path = `/console/organization/${id}/settings`
  await me.visit(`${path}/alerts`)
  await me.sees('Nobody is told yet')
  await me.press('New receiver')
  await me.look()
  await me.press('Webhook')
  await me.fill({ Name: 'hook here', Address: 'nonsense' })
  await me.refused(400, () => me.press('Save'))
  await me.look()
  await me.fill({ Address: `${receiver.url}/of/hush-hush` })
  await me.send('Save', 'The change was stored.')
  await me.press('hook here')
  await me.look()
  check(!(await me.page.content()).includes('hush-hush'), `${me.path()} shows a secret`)
  await me.fill({ Description: 'Changed in the console' })
  await me.send('Save', 'The change was stored.')
  await me.send('Send a test message', 'The receiver has accepted the test message.')
  await receiver.close()
  await me.refused(400, () => me.press('Send a test message'))
  await me.sees('was not accepted')
  await me.look()
  await me.go(`${path}/alerts`)
  await create(me, 'New rule', { Runbook: 'nonsense' }, { Name: 'fails here', Runbook: '' })
  await change(me, 'fails here', { 'How many, or how long': '1' })
  const { id: run } = await api.post(`/job/${job}/run`)
  await api.ended(run)
  await until('the alert is shown', async () => {
    await me.go(`${path}/alerts`)
    return (await me.page.locator('main').innerText()).includes('newest run')
  })
  await me.look()
  await me.press('Silence it')
  await me.look()
  await me.fill({ Until: '2020-01-01T00:00' })
  await me.refused(400, () => me.press('Save'))
  await me.fill({ Until: '2027-01-01T00:00', Comment: 'Known here' })
  await me.send('Save', 'The change was stored.')
  await me.sees('Known here')
  await me.press('job import')
  await me.fill({ Comment: 'Still known' })
  await me.send('Save', 'The change was stored.')
  await me.look()
  await remove(me, 'job import')
  await create(me, 'New silence', { 'Key of the label': '' }, { About: 'label', 'Key of the label': 'team', 'Value of the label': 'shop' })
  await remove(me, 'jobs with the label team=shop')
  await remove(me, 'fails here')
  await remove(me, 'hook here')
}
