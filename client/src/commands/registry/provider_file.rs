//! Which files a folder of a provider has, and in which order they are uploaded.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The deepest folder of a mirror: hostname, namespace and name.
const DEPTH: usize = 4;

/// A file of a provider, in the order in which files are uploaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProviderFile {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) kind: Kind,
    pub(super) filename: String,
    pub(super) path: PathBuf,
}

/// The checksums come before what is checked with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Checksums,
    Signature,
    Archive,
}

impl ProviderFile {
    /// Reads the name of a file: `terraform-provider-NAME_VERSION_` and the platform with `.zip`, `SHA256SUMS` or `SHA256SUMS.sig`.
    fn of(path: &Path) -> Option<Self> {
        let filename = path.file_name()?.to_str()?;
        let (name, rest) = filename.strip_prefix("terraform-provider-")?.split_once('_')?;
        let (version, rest) = rest.split_once('_')?;
        let kind = match rest {
            "SHA256SUMS" => Kind::Checksums,
            "SHA256SUMS.sig" => Kind::Signature,
            rest if rest.ends_with(".zip") => Kind::Archive,
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            kind,
            filename: filename.to_owned(),
            path: path.to_owned(),
        })
    }
}

/// The files among these paths, and in these folders.
///
/// # Errors
/// When a folder cannot be read, or there are no files of a provider.
pub(super) fn files(paths: &[PathBuf], is_deep: bool) -> Result<Vec<ProviderFile>> {
    let mut found = Vec::new();
    for path in paths {
        collect(path, if is_deep { DEPTH } else { 1 }, &mut found)?;
    }
    found.sort();
    if found.is_empty() {
        let text = "there is no file such as terraform-provider-acme_1.2.3_linux_amd64.zip among these paths";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(found)
}

fn collect(path: &Path, depth: usize, found: &mut Vec<ProviderFile>) -> Result<()> {
    if !path.is_dir() {
        found.extend(ProviderFile::of(path).filter(|_| path.is_file()));
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::Usage(format!("{} cannot be read: {error}", path.display()));
    for entry in std::fs::read_dir(path).map_err(failed)? {
        collect(&entry.map_err(failed)?.path(), depth - 1, found)?;
    }
    Ok(())
}

/// The registry and the namespace of a copy, by its folders: `HOSTNAME/NAMESPACE/NAME/FILE`, as `terraform providers mirror` writes them.
pub(super) fn origin(path: &Path) -> Option<(String, String)> {
    let mut folders = path.parent()?.iter().rev().filter_map(|part| part.to_str());
    let _name = folders.next()?;
    let namespace = folders.next()?.to_owned();
    Some((folders.next()?.to_owned(), namespace))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Kind, ProviderFile, origin};

    #[test]
    fn files_are_told_by_their_names() {
        let of = |name: &str| ProviderFile::of(Path::new(name));
        let kind = |name: &str| of(name).map(|file| file.kind);
        assert_eq!(kind("x/terraform-provider-acme_1.2.3_SHA256SUMS"), Some(Kind::Checksums));
        assert_eq!(kind("terraform-provider-acme_1.2.3_SHA256SUMS.sig"), Some(Kind::Signature));
        let archive = of("terraform-provider-google-beta_1.2.3-rc.1_linux_amd64.zip").unwrap();
        assert_eq!((archive.name.as_str(), archive.version.as_str()), ("google-beta", "1.2.3-rc.1"));
        assert_eq!(kind("index.json"), None);
        assert_eq!(kind("terraform-provider-acme_1.2.3_manifest.json"), None);
        let path =
            Path::new("copies/registry.terraform.io/hashicorp/null/terraform-provider-null_3.2.4_linux_amd64.zip");
        assert_eq!(origin(path), Some(("registry.terraform.io".into(), "hashicorp".into())));
    }
}
