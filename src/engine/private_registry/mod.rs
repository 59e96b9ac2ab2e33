//! The private registry: modules whose versions are the tags of repositories, providers that were uploaded, and files in pieces.

mod archive_name;
mod armored_key;
mod checksum_list;
mod module_archive;
mod module_refresh;
mod module_source;
mod module_tags;
mod provider_files;
mod provider_keys;
mod provider_upload;
mod registry_file;
mod registry_names;
mod release_version;
mod sorted_versions;
mod zip_hash;

pub use self::archive_name::ArchiveName;
pub use self::module_archive::archive_of;
pub use self::module_refresh::{refresh, refresh_due};
pub use self::provider_files::{MOST_CHECKSUMS, MOST_SIGNATURE, store_checksums, store_signature};
pub use self::provider_keys::{add_key, remove_key};
pub use self::provider_upload::{Address, receive_archive};
pub use self::registry_file::contents;
pub use self::registry_names::{
    check_hostname, check_module_name, check_namespace, check_provider_name, check_source, check_subfolder,
    check_system, check_tag_prefix,
};
pub use self::release_version::ReleaseVersion;
pub use self::sorted_versions::{module_versions, provider_versions};
