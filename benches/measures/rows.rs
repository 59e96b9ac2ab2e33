//! Rows in the database of an installation.

use std::path::Path;

use chrono::{DateTime, Utc};
use entity::environment::Mode;
use entity::id::JobId;
use entity::{job, job_schedule};
use sea_orm::{ActiveModelTrait as _, DatabaseConnection, EntityTrait as _, IntoActiveModel as _};
use windlass::clock::Clock;
use windlass::store;

/// An environment of the first organization, on the cluster of this machine.
pub(crate) async fn environment(db: &DatabaseConnection) -> entity::environment::Model {
    let organization = store::organization::list(db).await.unwrap().remove(0);
    let cluster = store::cluster::list_by_organization(db, organization.id).await.unwrap().remove(0);
    let now = Clock::system().now();
    let name = format!("bench {}", uuid::Uuid::new_v4());
    let project = entity::project::Model::new(organization.id, name.as_str(), String::new(), now);
    let project = store::project::create(db, project).await.unwrap();
    let environment = entity::environment::Model::new(&project, cluster.id, name, Mode::Development, now);
    store::environment::create(db, environment).await.unwrap()
}

/// Creates deployed CRON jobs that run a program as a plain process, all of them due at one time.
pub(crate) async fn jobs(
    db: &DatabaseConnection,
    environment: &entity::environment::Model,
    count: usize,
    program: &Path,
    due: DateTime<Utc>,
) -> Vec<JobId> {
    let now = environment.created_at;
    let registry = entity::registry::Model {
        id: entity::id::RegistryId::create(),
        organization_id: environment.organization_id,
        created_at: now,
        updated_at: now,
        name: format!("hub {}", uuid::Uuid::new_v4()),
        description: None,
        kind: entity::registry::RegistryKind::DockerHub,
        url: "https://docker.io".into(),
        config: entity::registry::RegistryConfig::default(),
        credentials: None,
    };
    let registry = store::registry::create(db, registry).await.unwrap();
    let spec = serde_json::json!({
        "description": "a job", "cpu_milli": 2000, "memory_mib": 512, "max_nb_restart": 0, "max_duration_seconds": 300,
        "auto_preview": false, "auto_deploy": false, "icon_uri": "app://qovery-console/cron-job",
        "source": {"type": "IMAGE", "image_name": "library/busybox", "tag": "1.36.1", "registry_id": registry.id},
        "schedule": {
            "type": "CRON", "scheduled_at": "0 3 1 1 *", "timezone": "Etc/UTC",
            "command": {"entrypoint": program, "arguments": []},
        },
    });
    let spec: entity::job_spec::JobSpec = serde_json::from_value(spec).unwrap();
    let mut ids = Vec::with_capacity(count);
    for chunk in (0..count).collect::<Vec<_>>().chunks(1000) {
        let row = |number: &usize| job::Model {
            deployed: Some(spec.clone()),
            deployed_at: Some(now),
            ..job::Model::new(environment, &format!("job {number} of {}", registry.id), spec.clone(), now)
        };
        let rows: Vec<_> = chunk.iter().map(row).collect();
        let times = rows.iter().map(|row| job_schedule::Model { job_id: row.id, next_run_at: due });
        let times: Vec<_> = times.map(|row| row.into_active_model().reset_all()).collect();
        ids.extend(rows.iter().map(|row| row.id));
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        job::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
        job_schedule::Entity::insert_many(times).exec_without_returning(db).await.unwrap();
    }
    ids
}
