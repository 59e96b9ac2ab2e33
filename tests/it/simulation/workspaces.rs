//! A workspace of the simulated world: its jobs are created, approved, rejected and cancelled.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use entity::deployment::Origin;
use entity::id::{EnvironmentId, WorkspaceId};
use entity::workspace_job::JobStatus;
use entity::{workspace, workspace_job, workspace_step};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use windlass::access::reach::Rights;
use windlass::app::App;
use windlass::engine::requester::Requester;
use windlass::engine::workspace::{NewJob, Reviewer, create, turn};
use windlass::error::Error;
use windlass::store;

/// The templates of the jobs.
const FLOWS: [&str; 4] = [
    "flow:\n- {type: terraformPlan, step: 1}\n- {type: terraformApply, step: 2}\n",
    "flow:\n- {type: terraformPlan, step: 1}\n- {type: approval, step: 2}\n- {type: terraformApply, step: 3}\n",
    "flow:\n- {type: customScripts, step: 1, ignoreError: true, commands: [{runtime: BASH, script: x}]}\n- {type: terraformDestroy, step: 2}\n",
    "flow:\n- {type: approval, step: 1, commands: [{runtime: BASH, script: x}], onReject: [{runtime: BASH, script: y}]}\n",
];
const OPEN: [JobStatus; 5] =
    [JobStatus::Pending, JobStatus::Queue, JobStatus::Running, JobStatus::WaitingApproval, JobStatus::Approved];

#[derive(Default)]
pub(super) struct Workspaces {
    id: Option<WorkspaceId>,
}

impl Workspaces {
    pub(super) async fn new(app: &App, environment: EnvironmentId, now: DateTime<Utc>) -> Self {
        let environment = store::environment::by_id(&app.db, environment).await.unwrap().unwrap();
        let row = workspace::Model {
            id: WorkspaceId::create(),
            organization_id: environment.organization_id,
            project_id: None,
            vcs_id: None,
            ssh_key_id: None,
            created_at: now,
            updated_at: now,
            created_by: "x".into(),
            updated_by: "x".into(),
            name: "w".into(),
            description: None,
            source: "https://git.example/x.git".into(),
            branch: "main".into(),
            folder: "/".into(),
            terraform_version: String::new(),
            iac_type: "tofu".into(),
            execution_mode: "remote".into(),
            locked: false,
            locked_by: None,
            locked_at: None,
            lock_description: None,
            deleted: false,
            default_template: None,
            allow_remote_apply: false,
            module_ssh_key: None,
            last_job_status: "NeverExecuted".into(),
            last_job_date: None,
            state_lock: None,
            state_lock_step: None,
            webhook_id: None,
            destroy_protection: false,
            sees_name: false,
            cluster_id: None,
        };
        Self { id: Some(store::row::create(&app.db, row).await.unwrap().id) }
    }

    fn id(&self) -> WorkspaceId {
        self.id.unwrap()
    }

    /// Whether this is the id of the workspace.
    pub(super) fn is(&self, name: &str) -> bool {
        self.id.is_some_and(|id| id.to_string() == name)
    }

    /// Creates a job, or changes the status of one; returns a description.
    pub(super) async fn event(&self, app: &App, choice: u64, now: DateTime<Utc>) -> String {
        if choice < 40 {
            let flow = FLOWS[usize::try_from(choice).unwrap() % FLOWS.len()];
            let rights = Rights {
                view: true,
                workspaces: true,
                templates: true,
                logins: true,
                modules: true,
                providers: true,
                states: true,
                plan: true,
                approve: true,
                teams: true,
                organization: true,
            };
            let new = NewJob { tcl: Some(STANDARD.encode(flow)), by: "x".into(), rights, ..NewJob::default() };
            store::write(&app.db, async |tx| {
                let row = store::workspace::lock(tx, self.id()).await?.unwrap();
                create(tx, &row, new, now).await
            })
            .await
            .unwrap();
            return format!("a job of a workspace: flow {}", choice % 4);
        }
        let open = self.list(app).await;
        let Some(job) = open.get(usize::try_from(choice).unwrap() % open.len().max(1)) else {
            return "no job of a workspace is open".into();
        };
        let to = [JobStatus::Approved, JobStatus::Approved, JobStatus::Rejected, JobStatus::Cancelled];
        let to = to[usize::try_from(choice).unwrap() % to.len()];
        format!("job {job} of a workspace: {to:?} {}", give(app, *job, to, now).await)
    }

    async fn list(&self, app: &App) -> Vec<i32> {
        let open = workspace_job::Entity::find().filter(workspace_job::Column::Status.is_in(OPEN));
        let rows = open.order_by_asc(workspace_job::Column::Id).all(&app.db).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    /// The number of jobs that have not ended.
    pub(super) async fn open(&self, app: &App) -> usize {
        self.list(app).await.len()
    }

    pub(super) async fn approve_all(&self, app: &App, now: DateTime<Utc>) {
        for job in self.list(app).await {
            give(app, job, JobStatus::Approved, now).await;
        }
    }

    /// All jobs have ended in agreement with their steps, no step was executed by two runs, and the state is unlocked.
    pub(super) async fn check(&self, app: &App) -> Result<(), String> {
        let open = self.list(app).await;
        if !open.is_empty() {
            return Err(format!("jobs of a workspace never end: {open:?}"));
        }
        let runs = entity::run::Entity::find().filter(entity::run::Column::Event.eq("WORKSPACE"));
        let runs = runs.count(&app.db).await.unwrap();
        let steps = workspace_step::Entity::find().all(&app.db).await.unwrap();
        let executed = steps.iter().filter(|step| step.run_id.is_some()).count() as u64;
        if runs != executed {
            return Err(format!("{executed} steps of a workspace were executed by {runs} runs"));
        }
        for job in workspace_job::Entity::find().all(&app.db).await.unwrap() {
            let own: Vec<JobStatus> =
                steps.iter().filter(|step| step.job_id == job.id).map(|step| step.status).collect();
            let any = |status: JobStatus| own.contains(&status);
            let fits = match job.status {
                JobStatus::Completed => own.iter().all(|status| *status == JobStatus::Completed),
                JobStatus::Failed => any(JobStatus::Failed) && !any(JobStatus::Pending),
                JobStatus::Cancelled => any(JobStatus::Cancelled) && !any(JobStatus::Pending),
                JobStatus::Rejected => any(JobStatus::Rejected) && !any(JobStatus::Pending),
                _ => false,
            };
            if !fits || own.iter().any(|status| OPEN.contains(status)) {
                return Err(format!("job {} is {:?}, its steps are {own:?}", job.id, job.status));
            }
        }
        let row = store::row::by_id::<workspace::Model>(&app.db, self.id()).await.unwrap().unwrap();
        if row.state_lock.is_some() { Err("the state stays locked".into()) } else { Ok(()) }
    }
}

/// Changes the status of a job; returns whether that was possible.
async fn give(app: &App, job: i32, to: JobStatus, now: DateTime<Utc>) -> bool {
    let who = Requester { name: "x".into(), email: None, origin: Origin::Api, user_agent: None };
    let by = Reviewer { who: &who, groups: &[], above: true };
    let given = store::write(&app.db, async |tx| {
        let row = store::workspace::lock_job(tx, job).await?.unwrap();
        turn(app, tx, row, to, &by, now).await.map(|_| ())
    });
    !matches!(given.await, Err(Error::Conflict(_)))
}
