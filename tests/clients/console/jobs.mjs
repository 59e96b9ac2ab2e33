// The pages of jobs and runs, and all that can be done with a job.

import { check, until } from './check.mjs'
import { quietSchedule } from './world.mjs'

/** Creates a job with the form: the preview while typing, an error at its field, and then the job. */
export async function createJob(me, environment) {
  const { page } = me
  await me.visit(`/console/environment/${environment}/jobs/new?type=lifecycle`)
  await me.visit(`/console/environment/${environment}/jobs/new`)
  await me.fill({ Name: 'made here', 'Cron expression': '*/10 * * * *', 'Time zone': 'Asia/Tokyo', Entrypoint: '/bin/sh', Arguments: '-c\necho made; sleep 0.2' })
  await page.locator('#preview').filter({ hasText: 'every 10 minutes' }).waitFor()
  await me.fill({ 'Cron expression': '61 * * * *' })
  await page.locator('#preview .problem').waitFor()
  await me.refused(400, () => me.press('Create the job'))
  check(await page.locator('#scheduled-at[aria-invalid=true]').count() === 1, 'the field is not marked')
  check((await page.inputValue('#timezone')) === 'Asia/Tokyo', 'what was typed is lost')
  await me.look()
  await me.fill({ 'Cron expression': quietSchedule() })
  await me.send('Create the job', 'The job was created.')
  return me.path().split('/').pop()
}

/** All that is done to a job. */
export async function tendJob(me, api, id) {
  const { page } = me
  const job = `/console/job/${id}`
  await me.send('Deploy', 'The deployment was requested.')
  await until('the job is deployed', async () => (await api.get(`/job/${id}/status`)).state === 'DEPLOYED')
  await me.go(job)
  await me.press('Edit')
  await me.visit(`${job}/edit`)
  await me.fill({ Description: 'Changed in the console', 'Cron expression': '*/15 * * * *' })
  await page.locator('#preview').filter({ hasText: 'every 15 minutes' }).waitFor()
  await me.send('Save', 'The job was changed.')
  await me.sees('out of date')
  await me.look()

  await me.press('Run now…')
  await me.look()
  await me.fill({ 'Time limit in seconds': 'soon' })
  await me.refused(400, () => me.press('Run now'))
  await me.sees('must be a whole number of seconds')
  const overrides = { Arguments: '-c\necho hello $WHO; echo hush-hush; echo oops >&2; exit 3', Variables: 'WHO=you', 'Secret variables': 'HIDDEN=hush-hush', 'Time limit in seconds': '60' }
  await me.fill(overrides)
  await me.send('Run now', 'The run was queued.')
  const run = me.path().split('/').pop()
  check((await api.ended(run)).exit_code === 3, 'the arguments of the run are not its own')
  await seeRun(me, run)
  await me.send('Run again', 'The run was queued.')
  await api.ended(me.path().split('/').pop())

  await me.go(`/console/run/${(await api.post(`/job/${id}/run`, { arguments: ['-c', 'echo waiting; sleep 600'] })).id}`)
  await me.sees('waiting')
  await me.look()
  await me.send('Cancel', 'The cancellation of the run was requested.')
  await page.locator('#head .state').filter({ hasText: 'cancelled' }).waitFor()

  await me.go(job)
  await me.send('Clear failures', 'no longer count')
  await me.press('Pause…')
  await me.look()
  await me.send('Pause', 'The schedule was paused.')
  await me.sees('until it is resumed')
  await me.look()
  await me.send('Resume', 'The schedule was resumed')
  await me.send(await page.getByRole('button', { name: /^Skip / }).first().getAttribute('aria-label'), 'The time was marked to be skipped.')
  await backfill(me, api, id)
  for (const tab of ['history', 'explain', 'variables', 'settings', 'changes']) await me.visit(`${job}/${tab}`)
  await explain(me, job)
  await settings(me, job)
  await me.go(`${job}/changes`)
  await page.locator('main summary').last().click()
  await me.sees('Settings at the beginning')
  await me.look()
  await copy(me, job)
  await me.go(job)
  await me.send('Stop', 'The stop was requested.')
}

/** Runs past times, more than can end before those that are left are cancelled. */
async function backfill(me, api, id) {
  await me.go(`/console/job/${id}`)
  await me.press('Backfill…')
  await me.look()
  await me.fill({ From: '2026-11-01T00:00', 'Until (without this time)': '2026-11-01T08:00' })
  await me.press('Preview')
  await me.sees('will be queued')
  await me.look()
  await me.send('Queue these runs', 'The runs of the backfill were queued.')
  const cancels = me.page.getByRole('button', { name: /^Cancel all open runs/ })
  await me.send(await cancels.first().getAttribute('aria-label'), 'The cancellation of the open runs')
}

async function explain(me, job) {
  const { page } = me
  await me.go(`${job}/explain`)
  await page.getByRole('link', { name: 'Month after' }).click()
  await page.locator('table.calendar a').first().click()
  await page.waitForURL(/day=/)
  await me.look()
  await me.go(`${job}/explain`)
  await page.locator('main input[name=at]').fill('2026-11-01T00:10')
  await me.press('Why?')
  await me.look()
}

async function settings(me, job) {
  await me.go(`${job}/settings`)
  const area = 'Settings that differ from their defaults, as JSON'
  await me.fill({ [area]: '{"cronjob.jitter_seconds": "many"}' })
  await me.refused(400, () => me.press('Save'))
  await me.fill({ [area]: '{"cronjob.jitter_seconds": 1}' })
  await me.send('Save', 'The advanced settings were changed.')
}

async function copy(me, job) {
  await me.go(job)
  await me.press('Clone…')
  await me.look()
  await me.fill({ Name: 'a copy' })
  await me.send('Clone', 'This is the copy.')
  await me.send('Delete', 'The job is deleted')
}

/** Deploys another version of a job, and then some jobs of its environment together. */
export async function deployVersions(me, environment, job) {
  const { page } = me
  const deploy = () => me.click(page.locator('main form.card').getByRole('button', { name: 'Deploy', exact: true }))
  await me.visit(`/console/job/${job}/deploy-version`)
  await page.fill('input[name=image_tag]', '')
  await me.refused(400, deploy)
  await me.look()
  await page.fill('input[name=image_tag]', '1.36.2')
  await deploy()
  await me.sees('The deployment was requested.')
  await me.visit(`/console/environment/${environment}/deploy-jobs`)
  await me.refused(400, deploy)
  await me.look()
  await page.check(`input[name=job][value="${job}"]`)
  await page.fill(`input[name="version-${job}"]`, '1.36.1')
  await deploy()
  await me.sees('The deployment was requested.')
}

/** The page of a run with its log: search, streams, wrapping, links to lines, plain text and download. */
export async function seeRun(me, id) {
  const { page } = me
  const run = `/console/run/${id}`
  await me.visit(run)
  await me.sees('hello you')
  const log = await page.locator('#log').innerText()
  check(!log.includes('hush-hush'), 'the log shows a secret')
  await page.locator('main').getByLabel('Search').fill('oops')
  await me.press('Show')
  await me.sees('1 line contains')
  await me.look()
  await me.go(`${run}?stream=stderr`)
  check(!(await page.locator('#log').innerText()).includes('hello'), 'the filter of streams does nothing')
  await me.go(run)
  await me.press('Long lines in one line')
  await me.press('Wrap long lines')
  await page.goto(`${run}#L1`)
  check(await page.locator('#L1:target').count() === 1, 'a link to a line leads nowhere')
  check((await me.text(`${run}/log`)).includes('oops'), 'the plain text lacks lines')
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()])
  check(/\.log$/.test(file.suggestedFilename()), file.suggestedFilename())
}

/** A check: it is created, pinged, changed, paused, gets another key, and is deleted. */
export async function tendCheck(me, api, environment) {
  const { page } = me
  await me.visit(`/console/environment/${environment}/checks/new`)
  await me.fill({ Name: 'offsite backup', 'Cron expression': '61 * * * *' })
  await me.refused(400, () => me.press('Save'))
  check(await page.locator('[name="schedule.scheduled_at"][aria-invalid=true]').count() === 1, 'the field is not marked')
  await me.look()
  await me.fill({ 'Cron expression': '', 'Or a period (seconds)': '86400', 'Grace (seconds)': '3600' })
  await me.send('Save', 'The check was created.')
  const path = me.path()
  const id = path.split('/').pop()
  const address = async () => (await api.get(`/check/${id}`)).ping_url
  await me.sees(await address())
  await me.look()
  const ping = await fetch(`${await address()}/3`, { method: 'POST', body: 'the disk is full' })
  check(ping.ok && (await ping.text()) === 'OK', `the ping was answered ${ping.status}`)
  await me.go(path)
  await me.sees('exit code 3')
  await me.visit(`${path}/explain`)
  await me.visit(`/console/environment/${environment}`)
  await me.sees('offsite backup')
  await me.go(path)
  await me.press('Edit')
  await me.fill({ Description: 'The machine of the warehouse' })
  await me.send('Save', 'The check was changed.')
  const before = await address()
  await me.send('New key', 'The check has a new key.')
  check(before !== (await address()), 'the key is the same')
  check((await fetch(before)).status === 404, 'the old key is accepted')
  await me.visit(`${path}/check`)
  await me.go(path)
  await me.send('Delete', 'The job is deleted')
}
