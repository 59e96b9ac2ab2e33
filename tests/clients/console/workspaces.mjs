// The pages of workspaces: a plan that is approved, one that is rejected, locks, variables, schedules and states.

import { check } from './check.mjs'
import { tendDrift, tendStates } from './states.mjs'

export async function tendWorkspace(me, api, organization, id, template) {
  const { page } = me
  const path = `/console/workspace/${id}`
  await me.visit(`/console/organization/${organization}/workspaces`)
  await me.visit(path)
  await me.press('New variable')
  await me.look()
  await me.fill({ Name: 'bad name' })
  await me.refused(400, () => me.press('Save'))
  await page.fill('input[name=key]', 'name')
  await page.fill('[name=value]', 'console')
  await me.send('Save', 'The variable was created.')
  await me.press('Edit name')
  await me.look()
  await page.fill('[name=value]', 'browser')
  await me.send('Save', 'The variable was changed.')
  await me.press('New webhook')
  await me.look()
  await page.fill('[name="push-branch"]', '(')
  await me.refused(400, () => me.press('Save'))
  await page.fill('[name="push-branch"]', 'main')
  await page.selectOption('[name="push-template"]', template)
  await me.press('Save')
  await me.sees('This is the secret of the webhook.')
  await me.look()
  await page.fill('[name=pollSeconds]', '86400')
  await me.send('Save', 'The webhook was changed.')
  await me.press('New secret')
  await me.sees('This is the secret of the webhook.')
  await me.send('Delete the webhook', 'The webhook was deleted.')
  await me.press('New schedule')
  await me.look()
  await me.fill({ Schedule: '0 5 1 1 *', Template: template, Description: 'Once a year' })
  await me.send('Save', 'The schedule was created.')
  await page.getByRole('link', { name: /^Edit 0 5/ }).click()
  await me.look()
  await me.fill({ 'Only look for drift, without a template: a plan that refreshes, and takes no lock': true, Enabled: false })
  await me.send('Save', 'The schedule was changed.')
  await me.look()
  await page.getByText('Lock the workspace').click()
  await me.fill({ Reason: 'a move' })
  await me.send('Lock', 'The workspace was locked')
  await me.look()
  await me.send('Unlock the workspace', 'The workspace was unlocked.')

  const first = await planned(me, api, organization, path, template)
  await me.sees('terraform_data.greeting')
  await me.look()
  await me.fill({ Comment: 'a first look' })
  await me.send('Only comment', 'The comment was saved.')
  await me.sees('a first look')
  await me.fill({ Comment: 'looks right' })
  await me.send('Approve', 'The job was approved.')
  await api.workspaceJob(organization, first, 'completed')
  await me.visit(`/console/workspace-job/${first}`)
  const log = await page.getByRole('link', { name: /^Whole log as text/ }).first().getAttribute('href')
  check((await me.text(log)).includes('greeting'), 'the log of the plan is empty')
  await me.visit(path)
  await me.sees('hello browser')
  const state = await page.getByRole('link', { name: /^Download/ }).first().getAttribute('href')
  check(JSON.parse(await me.text(state)).outputs.greeting.value === 'hello browser', 'the state is another one')
  await tendStates(me, api, organization, id)
  await tendDrift(me, api, organization, id)
  await me.go(path)

  await page.getByRole('link', { name: 'Edit name' }).click()
  await page.fill('[name=value]', 'nobody')
  await me.send('Save', 'The variable was changed.')
  const second = await planned(me, api, organization, path, template)
  await me.look()
  await me.send('Reject', 'The job was rejected.')
  await api.workspaceJob(organization, second, 'rejected')
  const third = await planned(me, api, organization, path, template)
  await planAgain(me, api, organization, path, third)
  await me.send('Cancel the job', 'The cancellation of the job was requested.')
  await me.go(path)
  await stateLock(me, api, organization, id)
  await removal(me, /^Delete$/, 'tr:has-text("0 5 1 1")', 'The schedule was deleted.')
  await removal(me, /^Delete/, 'tr:has-text("somebody")', 'The variable was deleted.')
}

/** Creates a workspace with the form, changes and deletes it. */
export async function createWorkspace(me, organization, source) {
  await me.go(`/console/organization/${organization}/workspaces`)
  await me.press('New workspace')
  await me.look()
  await me.fill({ Name: '  ', Repository: source })
  await me.refused(400, () => me.press('Create'))
  await me.look()
  // The tool sees the name of a workspace that is made here, and accepts no spaces in it.
  await me.fill({ Name: 'made here', Branch: 'main', Folder: '/', Tool: 'tofu' })
  await me.refused(400, () => me.press('Create'))
  await me.fill({ Name: 'made-here' })
  await me.send('Create', 'The workspace was created.')
  await me.press('Edit')
  await me.look()
  await me.fill({ Description: 'Changed in the console', 'Its steps run on': 'local' })
  await me.send('Save', 'The workspace was changed.')
  await me.sees('on the cluster local')
  await me.press('Edit')
  await me.page.getByText('Delete the workspace').click()
  await me.send('Delete', 'The workspace was deleted.')
}

/** Starts a job with the form, and waits until its plan has to be approved. */
async function planned(me, api, organization, path, template) {
  await me.go(path)
  await me.press('New job')
  await me.look()
  const chosen = await me.page.locator('[name=templateReference] option:checked').innerText()
  check(chosen === 'Plan', `${chosen} is chosen beforehand`)
  await me.fill({ Template: template, Comment: 'from the console' })
  await me.send('Start', 'The job was created.')
  const job = me.path().split('/').pop()
  await api.workspaceJob(organization, job, 'waitingApproval')
  // The page is open all the time.
  await me.page.getByRole('button', { name: 'Approve' }).waitFor()
  return job
}

/** The variable of a plan that waits is changed, so that it cannot be applied any more. */
async function planAgain(me, api, organization, path, job) {
  await me.go(path)
  await me.page.getByRole('link', { name: 'Edit name' }).click()
  await me.page.fill('[name=value]', 'somebody')
  await me.send('Save', 'The variable was changed.')
  await me.go(`/console/workspace-job/${job}`)
  await me.sees('The plan is stale')
  await me.look()
  await me.send('Plan again', 'The job was created.')
  await api.workspaceJob(organization, job, 'cancelled')
  await api.workspaceJob(organization, me.path().split('/').pop(), 'waitingApproval')
  await me.page.getByRole('button', { name: 'Approve' }).waitFor()
}

/** Somebody else's tool locks the state, and never comes back. */
async function stateLock(me, api, organization, id) {
  const body = { ID: 'b2f4b1b4-0000-4000-8000-000000000000', Operation: 'OperationTypeApply', Info: '', Who: 'somebody@elsewhere', Version: '1.12.6', Created: new Date().toISOString(), Path: '' }
  await api.call('LOCK', `/tfstate/v1/organization/${organization}/workspace/${id}/backend`, body)
  await me.go(`/console/workspace/${id}`)
  await me.look()
  await me.send('Remove the lock of the state', 'The lock of the state was removed.')
}

async function removal(me, name, row, notice) {
  const button = me.page.locator(row).getByRole('button', { name }).first()
  await me.click(button)
  await me.sees(notice)
}
