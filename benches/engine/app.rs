//! An App with real settings, and jobs in its database.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Parser as _;
use entity::environment::Mode;
use entity::id::JobId;
use entity::{job, job_spec, run_spec};
use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _};
use windlass::access::authenticate::Authenticator;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::config::Config;
use windlass::engine::cron::Timing;
use windlass::runner::{Runners, Target};
use windlass::secret::KeyRing;
use windlass::{bootstrap, store};

use super::no_op::NoOp;

#[derive(clap::Parser)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

pub(crate) async fn app(folder: &Path, url: &str, runner: &Arc<NoOp>) -> Arc<App> {
    let words = ["bench", "--database-url", url, "--log-mib", "100000"];
    let config = Config { data_dir: folder.to_owned(), ..Settings::parse_from(words).config };
    let db = store::connect(url, config.database_connections).await.unwrap();
    migration::run(&db).await.unwrap();
    let clock = Clock::system();
    let keys = KeyRing::load_or_create(&folder.join("secret.key")).unwrap();
    Arc::new(App::from(Parts {
        authenticator: Authenticator::new(db.clone(), keys.clone(), clock.clone(), None),
        keys,
        lease_db: db.clone(),
        db,
        clock,
        config,
        runners: Runners {
            docker: runner.clone(),
            process: runner.clone(),
            local: Ok(Target::Docker),
            processes: false,
            clusters: Default::default(),
        },
        wake: windlass::liveness::wake::Wake::default(),
    }))
}

/// A new environment.
async fn environment(app: &App) -> entity::environment::Model {
    let now = app.clock.now();
    let name = uuid::Uuid::now_v7().to_string();
    let organization =
        store::organization::create(&app.db, entity::organization::Model::new(&name, now)).await.unwrap();
    let cluster = store::cluster::create(&app.db, bootstrap::local_cluster(organization.id, now)).await.unwrap();
    let project = entity::project::Model::new(organization.id, name.as_str(), String::new(), now);
    let project = store::project::create(&app.db, project).await.unwrap();
    let environment = entity::environment::Model::new(&project, cluster.id, name, Mode::Development, now);
    store::environment::create(&app.db, environment).await.unwrap()
}

/// Deployed jobs of one kind, whose next times are given by `due`.
pub(crate) async fn fill(
    app: &App,
    count: usize,
    expression: &str,
    jitter: i32,
    due: impl Fn(&Timing) -> DateTime<Utc>,
) -> Vec<JobId> {
    let environment = environment(app).await;
    let spec = serde_json::json!({
        "cpu_milli": 100, "memory_mib": 64, "max_nb_restart": 0, "max_duration_seconds": 0, "auto_preview": false,
        "auto_deploy": false, "icon_uri": "app://qovery-console/cron-job",
        "source": {"type": "DOCKER", "dockerfile_raw": "FROM scratch"},
        "schedule": {"type": "CRON", "scheduled_at": expression, "timezone": "Etc/UTC",
            "command": {"entrypoint": "/bin/sh", "arguments": ["-c", "date"]}},
        "settings": {"cronjob.jitter_seconds": jitter, "cronjob.concurrency_policy": "Allow"},
    });
    let spec: job_spec::JobSpec = serde_json::from_value(spec).unwrap();
    let now = app.clock.now();
    let mut ids = Vec::with_capacity(count);
    let row = |number: usize| {
        let id = JobId::create();
        let job = job::Model {
            id,
            deployed: Some(spec.clone()),
            deployed_at: Some(now),
            built: Some(run_spec::BuiltImage { image: "built:1".into(), commit: None }),
            ..job::Model::new(&environment, &format!("job {number}"), spec.clone(), now)
        };
        let next_run_at = due(&Timing::of(id, &spec).unwrap().unwrap());
        (job, entity::job_schedule::Model { job_id: id, next_run_at })
    };
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(1000) {
        let (rows, times): (Vec<_>, Vec<_>) = chunk.iter().map(|number| row(*number)).unzip();
        ids.extend(rows.iter().map(|row| row.id));
        store::write(&app.db, async |tx| {
            let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
            job::Entity::insert_many(rows).exec_without_returning(tx).await?;
            let times = times.into_iter().map(|row| row.into_active_model().reset_all());
            entity::job_schedule::Entity::insert_many(times).exec_without_returning(tx).await.map(|_| ())
        })
        .await
        .unwrap();
    }
    ids
}
