//! Roles: the ones that can be given, and custom roles with their matrix of permissions.

use std::sync::Arc;

use entity::cluster;
use entity::custom_role::{
    ClusterGrants, ClusterPermission, Model, ProjectGrants, ProjectPermission, ProjectPermissions,
};
use entity::environment::Mode;
use entity::id::{ClusterId, CustomRoleId, OrganizationId, ProjectId};
use entity::member::Role;
use entity::project;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::environment::EnvironmentModeEnum;
use super::limits;
use super::wire::{self, Answer, Blank, Body, Created, Found, Gone, Results};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

const TAKEN: &str = "a custom role of this organization already has this name";
const IN_USE: &str = "members, tokens or invitations have this role; give them another one first";
/// The most custom roles of an organization.
const MOST: usize = 100;

/// The roles that have no row of their own, with their names and ids.
const FIXED: [(Role, &str, Uuid); 5] = [
    (Role::Owner, "owner", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001)),
    (Role::Admin, "admin", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0002)),
    (Role::Devops, "devops", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0003)),
    (Role::Billing, "billing", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0004)),
    (Role::Viewer, "viewer", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0005)),
];

/// A role as it is stored: a fixed one, or a custom one by its row.
pub(super) type Stored = (Role, Option<CustomRoleId>);

/// The role that an id of a request stands for; the owner's is not given so.
pub(super) async fn by_id(
    db: &impl ConnectionTrait,
    field: &str,
    organization: OrganizationId,
    id: Uuid,
) -> Result<Stored> {
    if let Some((role, _, _)) = FIXED.iter().find(|(role, _, known)| *known == id && *role != Role::Owner) {
        return Ok((*role, None));
    }
    let row = store::row::by_id::<Model>(db, CustomRoleId(id)).await?;
    let row = row.filter(|row| row.organization_id == organization);
    row.map(|row| (Role::Custom, Some(row.id))).ok_or_else(|| Error::invalid(field, "is not a role that can be given"))
}

/// The name and the id of a stored role, given the custom roles of its organization.
pub(super) fn named(role: Stored, custom: &[Model]) -> (String, Uuid) {
    if let Some(row) = custom.iter().find(|row| Some(row.id) == role.1) {
        return (row.name.clone(), row.id.0);
    }
    let fixed = FIXED.iter().find(|(known, _, _)| *known == role.0);
    fixed.map_or((String::new(), Uuid::nil()), |(_, name, id)| ((*name).to_owned(), *id))
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationAvailableRole {
    id: Uuid,
    name: String,
}

wire::mirrored!(OrganizationCustomRoleClusterPermission of ClusterPermission { Viewer, EnvCreator, Admin });
wire::mirrored!(OrganizationCustomRoleProjectPermission of ProjectPermission { NoAccess, Viewer, Deployer, Manager });

#[derive(Debug, Serialize, Deserialize, Object)]
struct RoleOnCluster {
    cluster_id: Uuid,
    cluster_name: String,
    permission: OrganizationCustomRoleClusterPermission,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
struct RoleInMode {
    environment_type: EnvironmentModeEnum,
    permission: OrganizationCustomRoleProjectPermission,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct RoleInProject {
    project_id: Uuid,
    project_name: String,
    is_admin: bool,
    permissions: Vec<RoleInMode>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationCustomRole {
    id: Uuid,
    name: String,
    description: String,
    cluster_permissions: Vec<RoleOnCluster>,
    project_permissions: Vec<RoleInProject>,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationCustomRoleCreateRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
struct RoleOnClusterRequest {
    #[serde(default)]
    #[oai(default)]
    cluster_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    permission: Option<OrganizationCustomRoleClusterPermission>,
}

#[derive(Debug, Deserialize, Object)]
struct RoleInModeRequest {
    #[serde(default)]
    #[oai(default)]
    environment_type: Option<EnvironmentModeEnum>,
    #[serde(default)]
    #[oai(default)]
    permission: Option<OrganizationCustomRoleProjectPermission>,
}

#[derive(Debug, Deserialize, Object)]
struct RoleInProjectRequest {
    #[serde(default)]
    #[oai(default)]
    project_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    is_admin: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    permissions: Option<Vec<RoleInModeRequest>>,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationCustomRoleUpdateRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    cluster_permissions: Vec<RoleOnClusterRequest>,
    project_permissions: Vec<RoleInProjectRequest>,
}

/// What a matrix has a line for: everything of the organization.
struct Lines {
    clusters: Vec<cluster::Model>,
    projects: Vec<project::Model>,
}

impl Lines {
    async fn read(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Self> {
        let clusters = store::cluster::list_by_organization(db, id).await?;
        Ok(Self { clusters, projects: store::project::list_by_organization(db, id).await? })
    }

    /// The whole matrix of a role, with the least permission where nothing is stored.
    fn answer(&self, row: &Model) -> OrganizationCustomRole {
        let on_cluster = |cluster: &cluster::Model| RoleOnCluster {
            cluster_id: cluster.id.0,
            cluster_name: cluster.name.clone(),
            permission: row.clusters.0.get(&cluster.id).copied().unwrap_or_default().into(),
        };
        let in_project = |project: &project::Model| {
            let stored = row.projects.0.get(&project.id).cloned().unwrap_or_default();
            let modes = [Mode::Development, Mode::Preview, Mode::Staging, Mode::Production];
            let in_mode = |mode: Mode| RoleInMode {
                environment_type: mode.into(),
                permission: stored.modes.get(&mode).copied().unwrap_or_default().into(),
            };
            RoleInProject {
                project_id: project.id.0,
                project_name: project.name.clone(),
                is_admin: stored.is_admin,
                permissions: modes.into_iter().map(in_mode).collect(),
            }
        };
        OrganizationCustomRole {
            id: row.id.0,
            name: row.name.clone(),
            description: row.description.clone(),
            cluster_permissions: self.clusters.iter().map(on_cluster).collect(),
            project_permissions: self.projects.iter().map(in_project).collect(),
        }
    }

    /// Checks the matrix of a request.
    fn read_request(
        &self,
        clusters: Vec<RoleOnClusterRequest>,
        projects: Vec<RoleInProjectRequest>,
    ) -> Result<(ClusterGrants, ProjectGrants)> {
        let mut of = (ClusterGrants::default(), ProjectGrants::default());
        for (place, RoleOnClusterRequest { cluster_id, permission }) in clusters.into_iter().enumerate() {
            let id = cluster_id.map(ClusterId).filter(|id| self.clusters.iter().any(|row| row.id == *id));
            let field = format!("cluster_permissions[{place}].cluster_id");
            let id = id.ok_or_else(|| Error::invalid(field, "is not a cluster of this organization"))?;
            of.0.0.insert(id, permission.map(ClusterPermission::from).unwrap_or_default());
        }
        for (place, RoleInProjectRequest { project_id, is_admin, permissions }) in projects.into_iter().enumerate() {
            let field = format!("project_permissions[{place}]");
            let id = project_id.map(ProjectId).filter(|id| self.projects.iter().any(|row| row.id == *id));
            let id = id.ok_or_else(|| {
                Error::invalid(format!("{field}.project_id"), "is not a project of this organization")
            })?;
            let mut stored = ProjectPermissions { is_admin: is_admin.unwrap_or(false), modes: Default::default() };
            for (line, one) in permissions.unwrap_or_default().into_iter().enumerate() {
                let field = format!("{field}.permissions[{line}].environment_type");
                let mode = one.environment_type.ok_or_else(|| Error::invalid(field, "is missing"))?;
                stored.modes.insert(mode.into(), one.permission.map(ProjectPermission::from).unwrap_or_default());
            }
            of.1.0.insert(id, stored);
        }
        Ok(of)
    }
}

/// A name that no fixed role has, in any case.
fn name(given: &str) -> Result<String> {
    let name = limits::name("name", given)?;
    if FIXED.iter().any(|(_, fixed, _)| *fixed == name.to_lowercase()) {
        return Err(Error::invalid("name", "is the name of a fixed role"));
    }
    Ok(name)
}

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "MEMBERS_AND_ROLES", row.id.0, &row.name).part("CUSTOM_ROLE")
}

/// The handlers.
pub(super) struct RoleApi(pub(super) Arc<App>);

#[OpenApi]
impl RoleApi {
    #[oai(path = "/organization/:organizationId/availableRole", method = "get", operation_id = "listOrganizationAvailableRoles", tag = Tag::OrganizationMainCalls)]
    async fn list_organization_available_roles(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<OrganizationAvailableRole>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let fixed = FIXED.iter().filter(|(role, _, _)| *role != Role::Owner);
        let fixed = fixed.map(|(_, name, id)| OrganizationAvailableRole { id: *id, name: (*name).to_owned() });
        let custom = store::custom_role::list(&self.0.db, id).await?.into_iter();
        let custom = custom.map(|row| OrganizationAvailableRole { id: row.id.0, name: row.name });
        Ok(Answer(Results { results: fixed.chain(custom).collect() }))
    }

    #[oai(path = "/organization/:organizationId/customRole", method = "get", operation_id = "listOrganizationCustomRoles", tag = Tag::OrganizationCustomRole)]
    async fn list_organization_custom_roles(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<OrganizationCustomRole>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let lines = Lines::read(&self.0.db, id).await?;
        let rows = store::custom_role::list(&self.0.db, id).await?;
        Ok(Answer(Results { results: rows.iter().map(|row| lines.answer(row)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/customRole", method = "post", operation_id = "createOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn create_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationCustomRoleCreateRequest>,
    ) -> Result<Created<OrganizationCustomRole>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let OrganizationCustomRoleCreateRequest { name, description } = body.0;
        let name = self::name(&name)?;
        let now = self.0.clock.now();
        let row = Model {
            id: CustomRoleId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name_key: entity::name_key(&name),
            name,
            description: limits::text("description", description.unwrap_or_default())?,
            clusters: ClusterGrants::default(),
            projects: ProjectGrants::default(),
        };
        let answer = audit::write(&self.0, &auth, id, async |tx| {
            if store::custom_role::list(tx, id).await?.len() >= MOST {
                return Err(Error::Conflict(format!("there are {MOST} custom roles already, which is the most")));
            }
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = Lines::read(tx, id).await?.answer(&row);
            let change = change("CREATE", &row).after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "get", operation_id = "getOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn get_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
    ) -> Result<Found<OrganizationCustomRole>> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        Ok(Answer(Lines::read(&self.0.db, row.organization_id).await?.answer(&row)))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "put", operation_id = "editOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn edit_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
        body: Body<OrganizationCustomRoleUpdateRequest>,
    ) -> Result<Found<OrganizationCustomRole>> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        let lines = Lines::read(&self.0.db, row.organization_id).await?;
        let before = lines.answer(&row);
        let OrganizationCustomRoleUpdateRequest { name, description, cluster_permissions, project_permissions } =
            body.0;
        let name = self::name(&name)?;
        let (clusters, projects) = lines.read_request(cluster_permissions, project_permissions)?;
        let row = Model {
            name_key: entity::name_key(&name),
            name,
            description: limits::text("description", description.unwrap_or(row.description))?,
            clusters,
            projects,
            updated_at: self.0.clock.now(),
            ..row
        };
        let answer = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = lines.answer(&row);
            let change = change("UPDATE", &row).before(&before).after(&answer);
            Ok((answer, change))
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "delete", operation_id = "deleteOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn delete_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
    ) -> Result<Gone> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), change("DELETE", &row)))
        })
        .await?;
        Ok(Blank)
    }
}

impl RoleApi {
    async fn load(&self, auth: &Auth, organization: Uuid, id: Uuid) -> Result<Model> {
        let (organization, id) = (OrganizationId(organization), CustomRoleId(id));
        access::custom_role(&self.0.db, &auth.0, Action::ManageMembers, organization, id).await
    }
}
