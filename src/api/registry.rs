//! /organization/{organizationId}/containerRegistry and /availableContainerRegistry.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{OrganizationId, RegistryId};
use entity::registry;
use entity::registry::RegistryConfig;
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::caller::Auth;
use super::limits;
use super::wire::{Answer, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{Secret, registry_place};
use crate::store;

/// The kind of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ContainerRegistryKindEnum {
    Ecr,
    ScalewayCr,
    DockerHub,
    GithubCr,
    GithubEnterpriseCr,
    GitlabCr,
    PublicEcr,
    Docr,
    GenericCr,
    GcpArtifactRegistry,
    AzureCr,
}

use entity::registry::RegistryKind as Kind;

/// Both ways between the stored kind and the one on the wire.
macro_rules! kinds {
    ($($name:ident),+) => {
        impl From<Kind> for ContainerRegistryKindEnum {
            fn from(kind: Kind) -> Self {
                match kind { $(Kind::$name => Self::$name),+ }
            }
        }

        impl From<ContainerRegistryKindEnum> for Kind {
            fn from(kind: ContainerRegistryKindEnum) -> Self {
                match kind { $(ContainerRegistryKindEnum::$name => Self::$name),+ }
            }
        }
    };
}

kinds!(
    Ecr,
    ScalewayCr,
    DockerHub,
    GithubCr,
    GithubEnterpriseCr,
    GitlabCr,
    PublicEcr,
    Docr,
    GenericCr,
    GcpArtifactRegistry,
    AzureCr
);

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
enum GcpCredentialsType {
    WorkloadIdentityFederation,
}

/// Without Debug: it holds secrets in the clear, for as long as a request is read.
#[derive(Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct ConfigRequest {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    region: Option<String>,
    scaleway_access_key: Option<String>,
    scaleway_secret_key: Option<String>,
    scaleway_project_id: Option<String>,
    json_credentials: Option<String>,
    gcp_credentials_type: Option<GcpCredentialsType>,
    project_id: Option<String>,
    service_account_email: Option<String>,
    workload_identity_provider_resource: Option<String>,
    token_lifetime_seconds: Option<i32>,
    username: Option<String>,
    password: Option<String>,
    role_arn: Option<String>,
    azure_tenant_id: Option<String>,
    azure_subscription_id: Option<String>,
}

#[derive(Deserialize, Object)]
struct ContainerRegistryRequest {
    name: String,
    kind: ContainerRegistryKindEnum,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    url: Option<String>,
    config: ConfigRequest,
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
struct ConfigResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaleway_access_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaleway_project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gcp_credentials_type: Option<GcpCredentialsType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload_identity_provider_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_subscription_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerRegistryResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    kind: ContainerRegistryKindEnum,
    description: String,
    url: String,
    associated_services_count: i64,
    config: ConfigResponse,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct AvailableContainerRegistryResponse {
    kind: ContainerRegistryKindEnum,
    required_config: BTreeMap<String, String>,
    is_mandatory: bool,
}

/// The stored parts of a configuration: what is answered, and what is sealed.
struct Parts {
    config: RegistryConfig,
    secrets: BTreeMap<&'static str, Secret<String>>,
}

fn parts(given: ConfigRequest) -> Parts {
    let ConfigRequest {
        access_key_id,
        secret_access_key,
        region,
        scaleway_access_key,
        scaleway_secret_key,
        scaleway_project_id,
        json_credentials,
        gcp_credentials_type,
        project_id,
        service_account_email,
        workload_identity_provider_resource,
        token_lifetime_seconds,
        username,
        password,
        role_arn,
        azure_tenant_id,
        azure_subscription_id,
    } = given;
    let secrets = [
        ("secret_access_key", secret_access_key),
        ("scaleway_secret_key", scaleway_secret_key),
        ("json_credentials", json_credentials),
        ("password", password),
    ];
    let config = RegistryConfig {
        username,
        region,
        access_key_id,
        role_arn,
        scaleway_access_key,
        scaleway_project_id,
        gcp_credentials_type: gcp_credentials_type
            .map(|GcpCredentialsType::WorkloadIdentityFederation| "workload_identity_federation".to_owned()),
        project_id,
        service_account_email,
        workload_identity_provider_resource,
        token_lifetime_seconds,
        azure_tenant_id,
        azure_subscription_id,
    };
    Parts { config, secrets: secrets.into_iter().filter_map(|(key, value)| Some((key, Secret::new(value?)))).collect() }
}

/// The address of a registry: the kinds of one provider have a fixed one (rule of the official API).
fn url(kind: ContainerRegistryKindEnum, given: Option<String>) -> Result<String> {
    use ContainerRegistryKindEnum as Kind;
    let fixed = match kind {
        Kind::DockerHub => Some("https://docker.io"),
        Kind::GithubCr => Some("https://ghcr.io"),
        Kind::GitlabCr => Some("https://registry.gitlab.com"),
        Kind::Docr => return Err(Error::invalid("kind", "DOCR is no longer supported")),
        _ => None,
    };
    let given = given.filter(|url| !url.is_empty());
    match (fixed, given) {
        (Some(fixed), None) => Ok(fixed.to_owned()),
        (Some(fixed), Some(url)) if url.trim_end_matches('/') == fixed => Ok(url),
        (Some(fixed), Some(_)) => Err(Error::invalid("url", format!("is {fixed} for this kind"))),
        (None, None) => Err(Error::invalid("url", "is missing")),
        (None, Some(url)) => {
            let host = url.strip_prefix("https://").unwrap_or_default();
            let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic() && !"@?#\"\\".contains(c));
            if plain { limits::text("url", url) } else { Err(Error::invalid("url", "is not https:// and a host")) }
        }
    }
}

fn answer(row: registry::Model, jobs: i64) -> ContainerRegistryResponse {
    let registry::Model {
        id,
        organization_id: _,
        created_at,
        updated_at,
        name,
        description,
        kind,
        url,
        config,
        credentials: _,
    } = row;
    let RegistryConfig {
        username,
        region,
        access_key_id,
        role_arn,
        scaleway_access_key,
        scaleway_project_id,
        gcp_credentials_type,
        project_id,
        service_account_email,
        workload_identity_provider_resource,
        token_lifetime_seconds,
        azure_tenant_id,
        azure_subscription_id,
    } = config;
    ContainerRegistryResponse {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        name,
        kind: kind.into(),
        description: description.unwrap_or_default(),
        url,
        associated_services_count: jobs,
        config: ConfigResponse {
            username,
            region,
            scaleway_access_key,
            scaleway_project_id,
            access_key_id,
            role_arn,
            gcp_credentials_type: gcp_credentials_type.map(|_| GcpCredentialsType::WorkloadIdentityFederation),
            project_id,
            service_account_email,
            workload_identity_provider_resource,
            token_lifetime_seconds,
            azure_tenant_id,
            azure_subscription_id,
        },
    }
}

/// The handlers.
pub(super) struct RegistryApi(pub(super) Arc<App>);

#[OpenApi]
impl RegistryApi {
    #[oai(path = "/availableContainerRegistry", method = "get", operation_id = "listAvailableContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn list_available_container_registry(
        &self,
        _auth: Auth,
    ) -> Result<Found<Results<AvailableContainerRegistryResponse>>> {
        Ok(Answer(Results { results: available() }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry", method = "get", operation_id = "listContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn list_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<ContainerRegistryResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewRegistry, id).await?;
        let counts = store::registry::count_jobs(&self.0.db, id).await?;
        let rows = store::registry::list_by_organization(&self.0.db, id).await?;
        let results = rows.into_iter().map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            answer(row, count)
        });
        Ok(Answer(Results { results: results.collect() }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry", method = "post", operation_id = "createContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn create_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<ContainerRegistryRequest>,
    ) -> Result<Created<ContainerRegistryResponse>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageRegistry, id).await?;
        let now = self.0.clock.now();
        let ContainerRegistryRequest { name, kind, description, url: address, config } = body.0;
        let Parts { config, secrets } = parts(config);
        let mut row = registry::Model {
            id: RegistryId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name: limits::name("name", &name)?,
            description: description.map(|text| limits::text("description", text)).transpose()?,
            kind: kind.into(),
            url: url(kind, address)?,
            config,
            credentials: None,
        };
        row.credentials = self.seal(row.id, &exposed(&secrets))?;
        let row = store::registry::create(&self.0.db, row).await?;
        Ok(Answer(answer(row, 0)))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "get", operation_id = "getContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn get_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Found<ContainerRegistryResponse>> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let row = access::registry(&self.0.db, &auth.0, Action::ViewRegistry, organization, id).await?;
        self.answer(row).await
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "put", operation_id = "editContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn edit_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
        body: Body<ContainerRegistryRequest>,
    ) -> Result<Found<ContainerRegistryResponse>> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let mut row = access::registry(&self.0.db, &auth.0, Action::ManageRegistry, organization, id).await?;
        let ContainerRegistryRequest { name, kind, description, url: address, config } = body.0;
        let Parts { config, secrets } = parts(config);
        let mut kept = if row.kind == kind.into() { self.open(&row)? } else { BTreeMap::new() };
        kept.extend(exposed(&secrets));
        row.name = limits::name("name", &name)?;
        row.kind = kind.into();
        row.url = url(kind, address)?;
        row.config = config;
        row.credentials = self.seal(row.id, &kept)?;
        if let Some(description) = description {
            row.description = Some(limits::text("description", description)?);
        }
        row.updated_at = self.0.clock.now();
        let row = store::registry::update(&self.0.db, row).await?;
        self.answer(row).await
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "delete", operation_id = "deleteContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn delete_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Gone> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let row = access::registry(&self.0.db, &auth.0, Action::ManageRegistry, organization, id).await?;
        store::registry::delete(&self.0.db, row.id)
            .await
            .map_err(|e| Error::or_in_use(e, "jobs use this registry; give them another one first"))?;
        Ok(Gone)
    }
}

impl RegistryApi {
    async fn answer(&self, row: registry::Model) -> Result<Found<ContainerRegistryResponse>> {
        let counts = store::registry::count_jobs(&self.0.db, row.organization_id).await?;
        let count = counts.get(&row.id).copied().unwrap_or(0);
        Ok(Answer(answer(row, count)))
    }

    fn seal(&self, id: RegistryId, secrets: &BTreeMap<String, String>) -> Result<Option<Vec<u8>>> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let text = serde_json::to_vec(secrets).map_err(Error::internal)?;
        self.0.keys.seal(&registry_place(id.0), &text).map(Some)
    }

    fn open(&self, row: &registry::Model) -> Result<BTreeMap<String, String>> {
        let Some(sealed) = &row.credentials else { return Ok(BTreeMap::new()) };
        let opened = self.0.keys.open(&registry_place(row.id.0), sealed)?;
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))
    }
}

/// Only for sealing.
fn exposed(secrets: &BTreeMap<&'static str, Secret<String>>) -> BTreeMap<String, String> {
    secrets.iter().map(|(key, value)| ((*key).to_owned(), value.expose().clone())).collect()
}

/// The kinds with the configuration keys that each needs.
fn available() -> Vec<AvailableContainerRegistryResponse> {
    use ContainerRegistryKindEnum as Kind;
    let kinds: [(Kind, &[&str]); 10] = [
        (Kind::Ecr, &["region", "access_key_id", "secret_access_key"]),
        (Kind::ScalewayCr, &["region", "scaleway_access_key", "scaleway_secret_key", "scaleway_project_id"]),
        (Kind::DockerHub, &["username", "password"]),
        (Kind::GithubCr, &["username", "password"]),
        (Kind::GithubEnterpriseCr, &["username", "password"]),
        (Kind::GitlabCr, &["username", "password"]),
        (Kind::PublicEcr, &[]),
        (Kind::GenericCr, &["username", "password"]),
        (Kind::GcpArtifactRegistry, &["region", "json_credentials"]),
        (Kind::AzureCr, &["azure_tenant_id", "azure_subscription_id"]),
    ];
    kinds
        .into_iter()
        .map(|(kind, keys)| AvailableContainerRegistryResponse {
            kind,
            required_config: keys.iter().map(|key| ((*key).to_owned(), String::new())).collect(),
            is_mandatory: false,
        })
        .collect()
}
