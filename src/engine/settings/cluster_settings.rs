//! Registers, changes and removes clusters. Their kubeconfigs are stored sealed.

use entity::cluster::{ClusterKind, Model};
use entity::id::{ClusterId, OrganizationId};
use serde_json::{Value, json};

use super::at;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::cluster::open_run::open_run;
use crate::engine::cluster::usable::check_kubeconfig;
use crate::engine::limits;
use crate::engine::news::subject_deleted;
use crate::engine::requester::Requester;
use crate::engine::workspace_cluster::refuse_named;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;
use crate::store::alert::AlertsOf;

const TARGET: &str = "CLUSTER";
const IN_USE: &str = "environments or deployment rules use this cluster; delete them first";
/// The maximum number of clusters in an organization.
const MAX_CLUSTERS: usize = 100;
/// The limits of a job on a cluster of unknown size, in millicores and MiB.
const UNKNOWN_SIZE: (i32, i32) = (1_000_000, 4_194_304);

/// A cluster as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct WantedCluster {
    pub name: String,
    pub description: Option<String>,
    pub region: String,
    pub production: Option<bool>,
    /// Settings that clients write and read back; none keeps them.
    pub settings: Option<Value>,
}

/// A cluster as events record it: under the names of the official API, without its kubeconfig.
fn recorded(row: &Model) -> Value {
    let mut recorded = json!({
        "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at),
        "organization": {"id": row.organization_id}, "name": row.name,
        "description": row.description.clone().unwrap_or_default(), "region": row.region,
        "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED", "cpu": row.maximum_cpu_milli,
        "memory": row.maximum_memory_mib, "is_default": row.is_default, "production": row.production,
    });
    if let (Some(Value::Object(settings)), Some(fields)) = (&row.settings, recorded.as_object_mut()) {
        let given = settings.iter().filter(|(_, value)| !value.is_null());
        fields.extend(given.map(|(name, value)| (name.clone(), value.clone())));
    }
    recorded
}

/// Registers a Kubernetes cluster. It is connected when it has a kubeconfig.
///
/// # Errors
/// `Invalid`, which names the field; `Conflict` if the name is taken, or there are too many; database errors.
pub async fn create(app: &App, by: &Requester, id: OrganizationId, wanted: WantedCluster) -> Result<Model> {
    let now = app.clock.now();
    let (maximum_cpu_milli, maximum_memory_mib) = UNKNOWN_SIZE;
    let row = Model {
        id: ClusterId::create(),
        organization_id: id,
        created_at: now,
        updated_at: now,
        name: String::new(),
        description: None,
        region: String::new(),
        kind: ClusterKind::Kubernetes,
        is_default: false,
        maximum_cpu_milli,
        maximum_memory_mib,
        kubeconfig: None,
        production: false,
        settings: None,
    };
    let row = apply(wanted, row)?;
    audit::write(app, by, id, async |tx| {
        let rows = store::cluster::list_by_organization(tx, id).await?;
        if rows.len() >= MAX_CLUSTERS {
            return Err(Error::Conflict(format!("an organization can have at most {MAX_CLUSTERS} clusters")));
        }
        require_unused_name(&rows, &row)?;
        let row = store::cluster::create(tx, row).await?;
        let change = Change::create(TARGET, row.id.0, &row.name).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Changes a cluster.
///
/// # Errors
/// `Invalid`, which names the field; `Conflict` if the name is taken; database errors.
pub async fn edit(app: &App, by: &Requester, row: Model, wanted: WantedCluster) -> Result<Model> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        // Its kubeconfig may be set at the same time, or its first agent created.
        let row = store::cluster::lock(tx, row.id).await?.ok_or(Error::NotFound("cluster"))?;
        let before = recorded(&row);
        let row = Model { updated_at: now, ..apply(wanted, row)? };
        require_unused_name(&store::cluster::list_by_organization(tx, row.organization_id).await?, &row)?;
        let row = store::row::update(tx, row).await?;
        let change = Change::update(TARGET, row.id.0, &row.name).before(&before).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Stores the kubeconfig of a cluster. `field` is what an error names.
///
/// # Errors
/// `Invalid` if it cannot be used; database errors.
pub async fn set_kubeconfig(app: &App, by: &Requester, row: Model, (field, text): (&str, &str)) -> Result<()> {
    check_kubeconfig(app, text).map_err(|reason| Error::invalid(field, reason))?;
    let sealed = app.keys.seal(&secret::place("cluster", row.id.0), text.as_bytes())?;
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        let row = store::cluster::lock(tx, row.id).await?.ok_or(Error::NotFound("cluster"))?;
        if row.kind == ClusterKind::Agent {
            let text = "agents work for this cluster; register another one for the kubeconfig";
            return Err(Error::Conflict(text.into()));
        }
        let row = store::row::update(tx, Model { kubeconfig: Some(sealed), updated_at: now, ..row }).await?;
        Ok(((), Change::update(TARGET, row.id.0, &row.name).part("KUBERNETES_CREDENTIALS")))
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Removes a cluster. The cluster itself stays as it is.
///
/// # Errors
/// `Conflict` while it is in use; database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    if row.is_default {
        return Err(Error::Conflict("the default cluster cannot be deleted".into()));
    }
    audit::write(app, by, row.organization_id, async |tx| {
        store::cluster::lock(tx, row.id).await?.ok_or(Error::NotFound("cluster"))?;
        refuse_named(tx, row.id).await?;
        if let Some(run) = open_run(tx, row.id).await? {
            let text = format!("run {} ({}) on this cluster has not ended; cancel it first", run.number, run.id);
            return Err(Error::Conflict(text));
        }
        subject_deleted(tx, AlertsOf::Cluster(row.id), app.clock.now()).await?;
        store::row::delete::<Model>(tx, row.id).await.map_err(|error| Error::or_in_use(error, IN_USE))?;
        Ok(((), Change::delete(TARGET, row.id.0, &row.name)))
    })
    .await
}

fn apply(wanted: WantedCluster, mut row: Model) -> Result<Model> {
    let WantedCluster { name, description, region, production, settings } = wanted;
    row.name = limits::name("name", &name)?;
    if row.kind == ClusterKind::Local && row.region != region {
        return Err(Error::invalid("region", "cannot be changed for the local cluster"));
    }
    row.region = limits::name("region", &region)?;
    if let Some(description) = description {
        row.description = Some(limits::text("description", description)?);
    }
    row.production = production.unwrap_or(row.production);
    row.settings = settings.or(row.settings);
    Ok(row)
}

fn require_unused_name(rows: &[Model], new: &Model) -> Result<()> {
    let key = entity::name_key(&new.name);
    let taken = rows.iter().any(|row| row.id != new.id && entity::name_key(&row.name) == key);
    let text = "this organization already has a cluster with this name";
    if taken { Err(Error::Conflict(text.into())) } else { Ok(()) }
}
