//! The migrated database has exactly the tables and columns of the entities.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, EntityTrait, IdenStatic as _, Iterable as _, Statement, Value,
};

use crate::harness::TestApp;

fn columns<E: EntityTrait>(entity: &E) -> (String, BTreeSet<String>) {
    let names = E::Column::iter().map(|column| column.as_str().to_owned()).collect();
    (entity.table_name().to_owned(), names)
}

const POSTGRES_COLUMNS: &str =
    "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'";
const SQLITE_COLUMNS: &str = "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";

/// The columns that most tables begin with.
const COLUMNS: &str = "id, created_at, updated_at, name";

async fn insert_into(db: &DatabaseConnection, table: &str, columns: &str, values: Vec<Value>) {
    let places: Vec<String> = (1..=values.len()).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO \"{table}\" ({columns}) VALUES ({})", places.join(", "));
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await.unwrap();
}

/// An environment in the schema of an older release, with what it needs.
pub(crate) async fn environment_in(
    db: &DatabaseConnection,
    [organization, cluster, project, environment]: [uuid::Uuid; 4],
) {
    let now: Value = crate::harness::start().into();
    let insert = async |table: &str, more: &str, id: uuid::Uuid, rest: Vec<Value>| {
        let values = [vec![id.into(), now.clone(), now.clone(), "x".into()], rest].concat();
        insert_into(db, table, &format!("{COLUMNS}, {more}"), values).await;
    };
    insert("organization", "plan", organization, vec!["FREE".into()]).await;
    let rest = vec![organization.into(), "r".into(), "LOCAL".into(), true.into(), 1000.into(), 1000.into()];
    let more = "organization_id, region, kind, is_default, maximum_cpu_milli, maximum_memory_mib";
    insert("cluster", more, cluster, rest).await;
    let rest = vec![organization.into(), "x".into(), "".into()];
    insert("project", "organization_id, name_key, description", project, rest).await;
    let rest = vec![organization.into(), project.into(), cluster.into(), "x".into(), "STAGING".into()];
    insert("environment", "organization_id, project_id, cluster_id, name_key, mode", environment, rest).await;
}

pub(crate) fn entities() -> BTreeMap<String, BTreeSet<String>> {
    macro_rules! tables {
        ($($table:ident)*) => { BTreeMap::from([$(columns(&entity::$table::Entity)),*]) };
    }
    tables! {
        access_token agent agent_log agent_step api_token calendar cluster configuration_piece configuration_version counter custom_role
        deployment deployment_job deployment_restriction deployment_rule environment event alert alert_cause
        alert_delivery alert_receiver alert_rule alert_silence job_success git_token identity_key invitation job
        job_check job_group job_schedule job_variables leftover log_chunk login_code member metadata_group
        module_version organization person plan_output project project_rule provider_key provider_platform provider_version
        push_feedback push_hook push_hook_delivery registry registry_file registry_piece repository_head run schedule_pause
        schedule_skip seal_key
        server_lease session sign_in signing_key skipped_time ssh_key shown_plan stage stage_job state_listing
        state_piece state_version tag team template terraform_module terraform_provider terraform_variable variable
        vcs webhook webhook_delivery workspace workspace_access workspace_address workspace_job workspace_push
        workspace_schedule workspace_step workspace_tag workspace_webhook workspace_webhook_event
    }
}

#[tokio::test]
async fn tables_and_entities_are_the_same() {
    let app = TestApp::new().await;
    let db = &app.app.db;
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Postgres { POSTGRES_COLUMNS } else { SQLITE_COLUMNS };
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
        let (table, column): (String, String) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        found.entry(table).or_default().insert(column);
    }
    found.remove("seaql_migrations");
    assert_eq!(found, entities());
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let app = TestApp::new().await;
    assert_eq!(migration::pending(&app.app.db).await.unwrap(), 0);
    migration::run(&app.app.db).await.unwrap();
}

/// Rows that must not be are refused by the tables themselves.
#[tokio::test]
async fn impossible_rows_are_refused() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), serde_json::json!({})).await.expect(202);
    app.settle().await;
    for sql in [
        "UPDATE run SET state = 'SUCCEEDED'",
        "UPDATE run SET attempt = 0",
        "UPDATE run SET scheduled_for = created_at",
        "UPDATE job SET job_type = 'OTHER'",
        "UPDATE deployment SET progress = 'FAILED'",
        "UPDATE run SET job_id = deployment_id",
    ] {
        assert!(app.app.db.execute_unprepared(sql).await.is_err(), "{sql} was taken");
    }
}

/// Rows of the first version are brought along by the second step.
#[tokio::test]
async fn an_older_database_is_brought_along() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::harness::database(&folder).await;
    let db = windlass::store::connect(&url, 1).await.unwrap();
    migration::run_first(&db, 1).await.unwrap();
    let ids: [uuid::Uuid; 5] = std::array::from_fn(|_| uuid::Uuid::now_v7());
    let [organization, cluster, project, environment, job] = ids;
    let now: Value = crate::harness::start().into();
    let insert = async |table: &str, columns: &str, values| insert_into(&db, table, columns, values).await;
    let named = |id: uuid::Uuid| vec![id.into(), now.clone(), now.clone(), "x".into()];
    let columns = COLUMNS;
    environment_in(&db, [organization, cluster, project, environment]).await;
    let spec = serde_json::json!({
        "cpu_milli": 100, "memory_mib": 64, "max_nb_restart": 0, "max_duration_seconds": 0, "auto_preview": false,
        "auto_deploy": false, "icon_uri": "x", "schedule": {"type": "LIFECYCLE", "on_start": {}},
        "source": {"type": "DOCKER", "dockerfile_raw": "FROM scratch"},
    });
    let rest = vec![organization.into(), environment.into(), "x".into(), "LIFECYCLE".into(), spec.into()];
    let more = "organization_id, environment_id, name_key, job_type, spec";
    insert("job", &format!("{columns}, {more}"), [named(job), rest].concat()).await;
    migration::run(&db).await.unwrap();
    let environment = entity::id::EnvironmentId(environment);
    let stages = windlass::store::stage::list(&db, environment).await.unwrap();
    assert_eq!(stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(), entity::stage::DEFAULTS);
    let place = windlass::store::stage::place(&db, entity::id::JobId(job)).await.unwrap().unwrap();
    assert_eq!((place.stage_id, place.is_skipped), (stages[1].id, false));
    let row = windlass::store::job::by_id(&db, entity::id::JobId(job)).await.unwrap().unwrap();
    assert!(row.spec.settings.is_empty() && row.variables_changed_at.is_none());
}

/// Credentials go on working with the repositories that they were used with before they belonged to a host.
#[tokio::test]
async fn credentials_of_an_older_database_keep_their_hosts() {
    use windlass::secret::stored_binding::{of_git_token, of_ssh_key, of_vcs};
    let folder = tempfile::tempdir().unwrap();
    let url = crate::harness::database(&folder).await;
    let db = windlass::store::connect(&url, 1).await.unwrap();
    migration::run_first(&db, 13).await.unwrap();
    let ids: [uuid::Uuid; 9] = std::array::from_fn(|_| uuid::Uuid::now_v7());
    let [organization, cluster, project, environment, token, job, vcs, workspace, ssh] = ids;
    let unused = uuid::Uuid::now_v7();
    let now: Value = crate::harness::start().into();
    let insert = async |table: &str, columns: &str, values| insert_into(&db, table, columns, values).await;
    let named = |id: uuid::Uuid| vec![id.into(), now.clone(), now.clone(), "x".into()];
    let columns = COLUMNS;
    environment_in(&db, [organization, cluster, project, environment]).await;
    for id in [token, unused] {
        let rest = vec![organization.into(), "".into(), "GITHUB".into(), "https://api.github.com".into()];
        let more = "organization_id, description, provider, api_url";
        insert("git_token", &format!("{columns}, {more}"), [named(id), rest].concat()).await;
    }
    let spec = |host: &str| -> Value {
        let url = format!("https://{host}/a.git");
        let repository = serde_json::json!({"url": url, "provider": "GITHUB", "branch": null, "root_path": "/", "git_token_id": token});
        let source = serde_json::json!({"type": "DOCKER", "git_repository": repository});
        serde_json::json!({"source": source}).into()
    };
    let rest = vec![organization.into(), environment.into(), "x".into(), "LIFECYCLE".into(), spec("git.example")];
    let rest = [rest, vec![spec("old.example"), token.into()]].concat();
    let more = "organization_id, environment_id, name_key, job_type, spec, deployed, git_token_id";
    insert("job", &format!("{columns}, {more}"), [named(job), rest].concat()).await;
    let audited = "created_by, updated_by, organization_id";
    let by = vec!["a".into(), "a".into(), organization.into()];
    let rest = vec!["GITLAB".into(), "OAUTH".into(), "PENDING".into()];
    let more = "vcs_type, connection_type, status";
    insert("vcs", &format!("{columns}, {audited}, {more}"), [named(vcs), by.clone(), rest].concat()).await;
    for id in [ssh, unused] {
        let (named, more) = (vec![id.into(), now.clone(), now.clone(), id.to_string().into()], "ssh_type");
        let values = [named, by.clone(), vec!["rsa".into()]].concat();
        insert("ssh_key", &format!("{columns}, {audited}, {more}"), values).await;
    }
    let rest: Vec<Value> =
        ["https://git.example:8443/b.git", "main", "/", "1", "tofu", "remote", "none"].map(Value::from).into();
    let flags: Vec<Value> = vec![false.into(), false.into(), false.into(), vcs.into(), ssh.into()];
    let more = "source, branch, folder, terraform_version, iac_type, execution_mode, last_job_status, locked, deleted, allow_remote_apply, vcs_id, ssh_key_id";
    insert("workspace", &format!("{columns}, {audited}, {more}"), [named(workspace), by, rest, flags].concat()).await;
    migration::run(&db).await.unwrap();
    let hosts = |origins: Vec<windlass::secret::Origin>| {
        origins.iter().map(ToString::to_string).collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    let of_token = async |id: uuid::Uuid| {
        let row =
            windlass::store::row::by_id::<entity::git_token::Model>(&db, entity::id::GitTokenId(id)).await.unwrap();
        hosts(of_git_token(&row.unwrap()).origins)
    };
    assert_eq!(of_token(token).await, "https://git.example https://github.com https://old.example");
    assert_eq!(of_token(unused).await, "https://github.com");
    let row = windlass::store::workspace::vcs(&db, entity::id::VcsId(vcs)).await.unwrap().unwrap();
    assert_eq!(hosts(of_vcs(&row).origins), "https://git.example:8443 https://gitlab.com");
    let of_key = async |id: uuid::Uuid| {
        let row = windlass::store::workspace::ssh_key(&db, entity::id::SshKeyId(id)).await.unwrap().unwrap();
        (hosts(of_ssh_key(&row, None).origins), row.bound_urls.is_some())
    };
    assert_eq!(of_key(ssh).await, ("ssh://git.example".into(), true));
    assert_eq!(of_key(unused).await, (String::new(), false));
}

/// What is otherwise asked only while there is a cluster of Kubernetes.
#[tokio::test]
async fn what_is_applied_in_a_cluster_is_kept() {
    use entity::id::{EnvironmentId, JobId};
    use windlass::store::{cluster_objects as objects, environment, job};
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let db = &app.app.db;
    let id = JobId(it.create(it.cron("nightly", "0 3 * * *")).await.parse().unwrap());
    let row = environment::by_id(db, EnvironmentId(it.environment.parse().unwrap())).await.unwrap().unwrap();
    let cluster = row.cluster_id;
    assert!(objects::clusters(db).await.unwrap().is_empty(), "the machine itself is no cluster of Kubernetes");
    assert!(objects::clusters_of(db, it.organization).await.unwrap().is_empty());
    assert_eq!(objects::cluster_of_job(db, id).await.unwrap().unwrap().0, cluster);
    let wanted = ["z1-staging".to_owned(), "z1-staging-2".to_owned()];
    assert_eq!(objects::namespace(db, &row, wanted).await.unwrap().unwrap(), "z1-staging");

    let applied = entity::job::AppliedSchedule {
        namespace: "z1-staging".into(),
        name: "nightly".into(),
        uid: "1".into(),
        generation: 1,
        secret: None,
    };
    assert!(objects::applied(db, cluster, None).await.unwrap().is_empty());
    objects::set_applied(db, id, Some(applied.clone())).await.unwrap();
    let found = objects::applied(db, cluster, None).await.unwrap();
    assert_eq!(found.iter().map(|row| row.applied.clone()).collect::<Vec<_>>(), [Some(applied)]);
    assert!(objects::applied(db, cluster, Some(id)).await.unwrap().is_empty(), "the next page");
    assert_eq!(objects::jobs_on(db, cluster, vec![id]).await.unwrap(), found);
    for drifted_at in [Some(crate::harness::start()), None] {
        objects::set_drifted(db, &found[0], drifted_at).await.unwrap();
        assert_eq!(job::by_id(db, id).await.unwrap().unwrap().drifted_at, drifted_at);
    }

    let row = environment::by_id(db, row.id).await.unwrap().unwrap();
    objects::record_leftover(db, &row, crate::harness::start()).await.unwrap();
    let left = objects::leftovers(db, cluster).await.unwrap();
    assert_eq!(left.iter().map(|row| row.namespace.as_str()).collect::<Vec<_>>(), ["z1-staging"]);
    objects::forget_leftover(db, cluster, "z1-staging").await.unwrap();
    assert!(objects::leftovers(db, cluster).await.unwrap().is_empty());
}
