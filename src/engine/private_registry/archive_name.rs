//! Pure: the names of files of a provider.

use super::release_version::ReleaseVersion;

/// The longest name, in characters.
const LONGEST: usize = 255;

/// What the name of an archive says: `terraform-provider-NAME_VERSION_OS_ARCH.zip`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveName {
    pub filename: String,
    pub version: String,
    pub os: String,
    pub arch: String,
}

impl ArchiveName {
    /// Reads the name of an archive of this provider.
    ///
    /// # Errors
    /// How its name has to be.
    pub fn parse(provider: &str, filename: &str) -> Result<Self, String> {
        let read = || {
            let rest = filename.strip_prefix(&format!("terraform-provider-{provider}_"))?.strip_suffix(".zip")?;
            let (rest, arch) = rest.rsplit_once('_')?;
            let (version, os) = rest.rsplit_once('_')?;
            let plain = |word: &str| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            let fits =
                filename.len() <= LONGEST && plain(os) && plain(arch) && ReleaseVersion::parse(version).is_some();
            fits.then(|| Self {
                filename: filename.to_owned(),
                version: version.to_owned(),
                os: os.to_owned(),
                arch: arch.to_owned(),
            })
        };
        read().ok_or_else(|| {
            format!("must be terraform-provider-{provider}_VERSION_OS_ARCH.zip, such as terraform-provider-{provider}_1.2.3_linux_amd64.zip")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ArchiveName;

    #[test]
    fn the_name_says_version_and_platform() {
        let read = ArchiveName::parse("acme", "terraform-provider-acme_1.2.3-rc.1_linux_amd64.zip").unwrap();
        assert_eq!((read.version.as_str(), read.os.as_str(), read.arch.as_str()), ("1.2.3-rc.1", "linux", "amd64"));
        for wrong in [
            "terraform-provider-other_1.2.3_linux_amd64.zip",
            "terraform-provider-acme_1.2_linux_amd64.zip",
            "terraform-provider-acme_1.2.3_linux.zip",
            "terraform-provider-acme_1.2.3_Linux_amd64.zip",
            "terraform-provider-acme_1.2.3_linux_amd64.tar",
            "acme.zip",
        ] {
            assert!(
                ArchiveName::parse("acme", wrong).unwrap_err().contains("terraform-provider-acme_1.2.3"),
                "{wrong}"
            );
        }
    }
}
