//! Servers that are killed (kill -9) after they have accepted a delivery: the next server acts on it, and no server does so twice. What a
//! delivery started is counted in the database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use entity::id::JobId;
use entity::{deployment_job, job, repository_head, workspace_job, workspace_webhook};
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use windlass::store;

use super::auto_deploy::change;
use super::of_github;
use super::payloads::push;
use crate::git_server::{Rule, folder, serve};
use crate::harness::wait_for;
use crate::server::Server;
use crate::terrakube::{new, tcl};

/// How long after the answer to a delivery the server is killed, in milliseconds: before, while and after it polls.
const KILLED_AFTER: [u64; 8] = [0, 5, 20, 50, 90, 150, 250, 600];
const WORDS: [&str; 3] = ["serve", "--runner", "process"];

/// A server with a job and a workspace of one repository, and a push hook.
struct Site {
    server: Option<Server>,
    place: PathBuf,
    hook: String,
    secret: String,
    job: String,
}

async fn made(server: &Server, path: &str, body: Value) -> Value {
    let (status, made, text) = server.call("POST", path, Some(body)).await;
    assert!(matches!(status, 200 | 201), "{path}: {text}");
    made
}

impl Site {
    async fn new(place: &Path, repository: &str) -> Self {
        let server = Server::start(place, &WORDS, None);
        let organization = server.get("/organization").await["results"][0]["id"].as_str().unwrap().to_owned();
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        let project = made(&server, &format!("/organization/{organization}/project"), json!({"name": "p"})).await;
        let path = format!("/project/{}/environment", id(&project));
        let environment = made(&server, &path, json!({"name": "e"})).await;
        let source = json!({"docker": {"dockerfile_path": "Dockerfile", "git_repository":
            {"url": repository, "provider": "GITHUB", "branch": "main", "root_path": "/"}}});
        let body = json!({"name": "shop", "healthchecks": {}, "auto_deploy": true, "source": source,
            "schedule": {"cronjob": {"scheduled_at": "@yearly"}}});
        let job = made(&server, &format!("/environment/{}/job", id(&environment)), body).await;
        let base = format!("/api/v1/organization/{organization}");
        let template = new("template", json!({"name": "ask", "tcl": tcl("flow:\n- {type: approval, step: 1}\n")}));
        let template = server.create(&format!("{base}/template"), template).await;
        let workspace = new("workspace", json!({"name": "net", "source": repository, "branch": "main"}));
        let workspace = server.create(&format!("{base}/workspace"), workspace).await;
        let webhook = new("webhook", json!({"pollSeconds": 86_400}));
        let webhook = server.create(&format!("{base}/workspace/{workspace}/webhook"), webhook).await;
        let event = new("webhook_event", json!({"event": "PUSH", "templateId": template}));
        server.create(&format!("/api/v1/webhook/{webhook}/events"), event).await;
        let hook = made(&server, &format!("/organization/{organization}/pushHook"), json!({"name": "forge"})).await;
        let secret = hook["secret"].as_str().unwrap().to_owned();
        Self { server: Some(server), place: place.to_owned(), hook: id(&hook), secret, job: id(&job) }
    }

    /// Delivers a push, which is accepted.
    async fn hears(&self, commit: &str, delivery: &str) {
        let mut payload = push("main", commit, &[delivery]);
        payload["repository"]["full_name"] = json!("app");
        let (server, body) = (self.server.as_ref().unwrap(), payload.to_string());
        let mut request = reqwest::Client::new().post(format!("{}/push/{}", server.url, self.hook));
        for (name, value) in of_github(&self.secret, "push", delivery, &body) {
            request = request.header(name, value);
        }
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!(status == 202 && text.contains("\"ACCEPTED\""), "{status} {text}");
    }

    /// Kills the server, does something, and starts another one.
    async fn killed(&mut self, meanwhile: impl AsyncFnOnce()) {
        let token = self.server.take().unwrap().kill();
        meanwhile().await;
        self.server = Some(Server::start(&self.place, &WORDS, Some(&token)));
    }

    async fn database(&self) -> DatabaseConnection {
        let file = self.place.join("windlass-data/windlass.db");
        store::connect(&format!("sqlite://{}?mode=rw", file.display()), 1).await.unwrap()
    }
}

/// The parts of deployments and the number of workspace jobs that a commit has started.
async fn started(db: &DatabaseConnection, commit: &str) -> (Vec<deployment_job::Model>, u64) {
    let parts = deployment_job::Entity::find().filter(deployment_job::Column::CommitId.eq(commit)).all(db);
    let jobs = workspace_job::Entity::find().filter(workspace_job::Column::CommitId.eq(commit)).count(db);
    (parts.await.unwrap(), jobs.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_push_outlives_its_server() {
    let repositories = folder();
    let (address, _) = serve(repositories.path(), Rule::Open).await;
    let place = tempfile::tempdir().unwrap();
    let mut site = Site::new(place.path(), &format!("{address}/app.git")).await;
    let db = site.database().await;
    let job = JobId(site.job.parse().unwrap());
    // Without a Docker engine nothing is built, so the job is made one that is deployed.
    site.killed(async || {
        let row = job::Entity::find_by_id(job).one(&db).await.unwrap().unwrap();
        let deployed = Some(row.spec.clone());
        store::row::update(&db, job::Model { deployed, ..row }).await.unwrap();
    })
    .await;
    let remembered = async || {
        let head = repository_head::Entity::find().one(&db).await.unwrap()?;
        let webhook = workspace_webhook::Entity::find().one(&db).await.unwrap()?;
        (head.commit_id.is_some() && webhook.polled.is_some()).then_some(())
    };
    wait_for("the branch of the job", async || repository_head::Entity::find().one(&db).await.unwrap()).await;
    let first = change(repositories.path(), "notes");
    site.hears(&first, "first").await;
    wait_for("the first polls", remembered).await;
    let mut commits = Vec::new();
    for pause in KILLED_AFTER {
        let commit = change(repositories.path(), "notes");
        site.hears(&commit, &format!("after {pause}")).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        site.killed(async || {}).await;
        wait_for("what the push starts", async || {
            // A deployment that has not begun would be merged with the next one.
            let (parts, jobs) = started(&db, &commit).await;
            (jobs > 0 && parts.iter().any(|part| part.progress.is_final())).then_some(())
        })
        .await;
        commits.push(commit);
    }
    // The polls that a restart begins find nothing new.
    site.killed(async || {}).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    for commit in &commits {
        let (parts, jobs) = started(&db, commit).await;
        assert_eq!((parts.len(), jobs), (1, 1), "{commit} of {commits:?}: {parts:?}");
    }
}
