//! Pure: which tags of a repository are versions of a module.

use std::collections::BTreeMap;

use super::release_version::ReleaseVersion;

/// How many versions of a module are kept: the newest.
pub(super) const MOST: usize = 500;

/// A version of a module, with its tag and its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TaggedVersion {
    pub(super) version: ReleaseVersion,
    pub(super) tag: String,
    pub(super) commit: String,
}

/// The versions among tags, the newest first. A tag is the prefix of the module, perhaps a `v`, and a version. If two tags have the same
/// version, the first one in alphabetical order counts.
pub(super) fn versions<'a>(prefix: &str, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<TaggedVersion> {
    let mut found: BTreeMap<ReleaseVersion, (&str, &str)> = BTreeMap::new();
    for (tag, commit) in tags {
        let Some(version) = version_of(prefix, tag) else { continue };
        found
            .entry(version)
            .and_modify(|known| {
                if tag < known.0 {
                    *known = (tag, commit);
                }
            })
            .or_insert((tag, commit));
    }
    let newest = found.into_iter().rev().take(MOST);
    newest
        .map(|(version, (tag, commit))| TaggedVersion { version, tag: tag.to_owned(), commit: commit.to_owned() })
        .collect()
}

fn version_of(prefix: &str, tag: &str) -> Option<ReleaseVersion> {
    let rest = tag.strip_prefix(prefix)?;
    ReleaseVersion::parse(rest.strip_prefix('v').unwrap_or(rest))
}

/// The version that is offered as the latest: the newest release, or the newest pre-release if there is no other.
pub(super) fn latest(versions: &[TaggedVersion]) -> Option<String> {
    let release = versions.iter().find(|tagged| tagged.version.is_release());
    release.or(versions.first()).map(|tagged| tagged.version.to_string())
}

#[cfg(test)]
mod tests {
    use super::{MOST, latest, versions};

    fn shown(prefix: &str, tags: &[&str]) -> Vec<String> {
        let found = versions(prefix, tags.iter().map(|tag| (*tag, "c0ffee")));
        found.iter().map(|tagged| format!("{}={}", tagged.tag, tagged.version)).collect()
    }

    #[test]
    fn tags_with_the_prefix_are_versions() {
        let tags = ["v1.0.0", "1.2.0", "v1.10.0", "latest", "v2", "vpc/v3.0.0", "vpc-4.0.0", "v1.2.0"];
        assert_eq!(shown("", &tags), ["v1.10.0=1.10.0", "1.2.0=1.2.0", "v1.0.0=1.0.0"]);
        assert_eq!(shown("vpc/", &tags), ["vpc/v3.0.0=3.0.0"]);
        assert_eq!(shown("vpc-", &tags), ["vpc-4.0.0=4.0.0"]);
        assert_eq!(shown("none/", &tags), Vec::<String>::new());
    }

    #[test]
    fn the_newest_are_kept() {
        let tags: Vec<String> = (0..MOST + 7).map(|minor| format!("v1.{minor}.0")).collect();
        let found = versions("", tags.iter().map(|tag| (tag.as_str(), "c0ffee")));
        assert_eq!(found.len(), MOST);
        assert_eq!(found[0].tag, format!("v1.{}.0", MOST + 6));
    }

    #[test]
    fn a_release_is_later_than_any_pre_release() {
        let of = |tags: &[&str]| latest(&versions("", tags.iter().map(|tag| (*tag, "c0ffee"))));
        assert_eq!(of(&["v1.0.0", "v2.0.0-rc.1"]), Some("1.0.0".into()));
        assert_eq!(of(&["v2.0.0-rc.1"]), Some("2.0.0-rc.1".into()));
        assert_eq!(of(&["main"]), None);
    }
}
