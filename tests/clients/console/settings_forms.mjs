// The forms of the settings of an organization: each creates, is refused, changes and deletes.

import { check } from './check.mjs'

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

  await me.go(`${path}/roles`)
  await create(me, 'New role', { Name: '  ' }, { Name: 'on call', 'Everything in shop': true })
  await change(me, 'Edit on call', { 'Everything in shop': false, 'shop, Staging': { index: 1 } })
  await remove(me, 'Edit on call')
}
