// The pages of the versions of a state, and of what was changed outside of the tool.

import { check } from './check.mjs'

/** Imports a changed state, compares it, looks at its resources, and rolls it back. */
export async function tendStates(me, api, organization, id) {
  const { page } = me
  const path = `/console/workspace/${id}`
  const state = await api.get(`/tfstate/v1/organization/${organization}/workspace/${id}/backend`)
  const { serial } = state
  state.serial += 1
  state.resources[0].instances[0].attributes.input.value = 'hello imported'
  await me.go(path)
  await me.press('All versions: compare, roll back')
  await me.look()
  await me.press('Import a state file')
  await me.look()
  await me.fill({ State: '{"version": 3}', Reason: 'moved here' })
  await me.refused(400, () => me.press('Import'))
  await page.getByLabel('File', { exact: true }).setInputFiles({ name: 'a.tfstate', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(state)) })
  await page.waitForFunction(() => document.getElementById('field-state').value.includes('hello imported'))
  await me.send('Import', 'The state was imported.')
  await me.press('Compare')
  await me.sees('0 created, 1 changed, 0 deleted.')
  await me.look()
  await me.go(`${path}/states`)
  await me.click(page.getByRole('link', { name: /^Resources/ }).first())
  await me.sees('terraform_data.greeting')
  await me.look()
  await me.go(`${path}/states`)
  await me.click(page.getByRole('link', { name: /^Roll back/ }).first())
  await me.look()
  await me.fill({ Reason: 'it was a try' })
  await me.send('Roll back', 'The version is the newest one again, under a new serial.')
  await me.sees(`rollback to the serial ${serial}: it was a try`)
  const now = await api.get(`/tfstate/v1/organization/${organization}/workspace/${id}/backend`)
  check(now.serial === serial + 2, `the serial is ${now.serial}`)
}

/** A plan that says that something was changed elsewhere; it is accepted, and then reverted. */
export async function tendDrift(me, api, organization, id) {
  const drift = { format_version: '1.2', resource_drift: [{ address: 'terraform_data.greeting', change: { actions: ['update'], before: { input: 'a' }, after: { input: 'b' } } }] }
  const script = `printf %s '${JSON.stringify(drift)}' > "$(dirname "$WINDLASS_OUTPUT_FILE")/plan.json"`
  const flow = JSON.stringify({ flow: [{ type: 'terraformPlan', step: 1, commands: [{ runtime: 'BASH', after: true, script }] }] })
  const template = await api.create(`organization/${organization}/template`, 'template', { name: 'drifting', tcl: Buffer.from(flow).toString('base64') })
  for (const button of ['Accept: take it into the state', 'Revert: make it again as configured']) {
    const workspace = { data: { type: 'workspace', id } }
    const job = await api.create(`organization/${organization}/job`, 'job', { templateReference: template }, { workspace })
    await api.workspaceJob(organization, job, 'completed')
    await me.go(`/console/workspace/${id}`)
    await me.sees('Drifted since')
    await me.press('Show, accept or revert')
    await me.sees('terraform_data.greeting')
    await me.look()
    await me.send(button, 'The job was created.')
    await api.workspaceJob(organization, me.path().split('/').pop(), 'completed')
    await me.visit(`/console/workspace/${id}/drift`)
    await me.sees('No drift is known.')
  }
}
