//! The private registry: modules, providers, their signing keys, and files in pieces.

mod file_rows;
mod module_rows;
mod provider_rows;

pub use self::file_rows::{
    archives_by_age, attach, bytes_of_organization, delete_some_files, delete_some_registry_pieces, file_of_platform,
    file_of_version, release_files,
};
pub use self::module_rows::{
    due_modules, list_modules, lock_module, module_by_name, module_version, modules_of_login, versions_of_module,
};
pub use self::provider_rows::{
    list_keys, list_platforms, list_platforms_of, list_providers, lock_provider, provider_by_name, provider_key,
    provider_version, versions_of_provider,
};
