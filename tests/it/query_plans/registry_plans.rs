//! The queries of the private registry.

use entity::id::{
    ModuleVersionId, OrganizationId, ProviderPlatformId, ProviderVersionId, RegistryFileId, SshKeyId,
    TerraformModuleId, TerraformProviderId, VcsId,
};
use entity::registry_file;
use sea_orm::{ColumnTrait as _, Condition};
use windlass::store::private_registry as registry;
use windlass::store::workspace::Login;

use super::{Watched, now};

#[tokio::test]
async fn the_private_registry_is_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (organization, module) = (OrganizationId::create(), TerraformModuleId::create());
    let (provider, version) = (TerraformProviderId::create(), ProviderVersionId::create());
    let (of_module, platform, file) =
        (ModuleVersionId::create(), ProviderPlatformId::create(), RegistryFileId::create());
    watched.check("modules", registry::list_modules(db, organization)).await;
    watched.check("module", registry::module_by_name(db, organization, ("a", "b"))).await;
    watched.check("due modules", registry::due_modules(db, now(), 10)).await;
    watched.check("modules of a connection", registry::modules_of_login(db, Login::Vcs(VcsId::create()), 5)).await;
    watched.check("modules of a key", registry::modules_of_login(db, Login::Ssh(SshKeyId::create()), 5)).await;
    watched.check("versions of a module", registry::versions_of_module(db, module, 10)).await;
    watched.check("version of a module", registry::module_version(db, module, "1.0.0")).await;
    watched.check("providers", registry::list_providers(db, organization)).await;
    watched.check("provider", registry::provider_by_name(db, organization, ("", "", "a"))).await;
    watched.check("versions of a provider", registry::versions_of_provider(db, provider, 10)).await;
    watched.check("version of a provider", registry::provider_version(db, provider, "1.0.0")).await;
    watched.check("platforms", registry::list_platforms(db, version)).await;
    watched.check("signing keys", registry::list_keys(db, organization)).await;
    watched.check("signing key", registry::provider_key(db, organization, "A")).await;
    watched.check("bytes of an organization", registry::bytes_of_organization(db, organization)).await;
    watched.check("archives by age", registry::archives_by_age(db, organization, 10)).await;
    watched.check("file of a version", registry::file_of_version(db, of_module)).await;
    watched.check("file of a platform", registry::file_of_platform(db, platform)).await;
    watched.check("attached file", registry::attach(db, file, (1, 1), (Some(of_module), None))).await;
    let these = Condition::all().add(registry_file::Column::ModuleVersionId.eq(of_module));
    watched.check("released file", registry::release_files(db, these)).await;
    watched.check("pieces", registry::delete_some_registry_pieces(db, file, 10)).await;
    watched.check("loose files", registry::delete_some_files(db, now(), 10)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}
