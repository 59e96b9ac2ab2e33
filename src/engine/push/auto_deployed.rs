//! Pure: which jobs with auto-deploy are concerned by changed paths: their root path, and their deployment restrictions.

use entity::deployment_restriction::{Model as Restriction, RestrictionMode};
use entity::job;
use entity::job_spec::{GitRepository, Source};

use super::path_filter::{Language, Patterns};

/// The repository that a job is built from, if it is deployed, and pushes deploy it again.
#[must_use]
pub fn followed(job: &job::Model) -> Option<&GitRepository> {
    match &job.spec.source {
        Source::Docker { git_repository: Some(repository), .. } if job.spec.auto_deploy && job.deployed.is_some() => {
            Some(repository)
        }
        Source::Docker { .. } | Source::Image { .. } => None,
    }
}

/// Whether a path is below the folder that a job is built from.
fn is_below(root: &str, path: &str) -> bool {
    let root = root.trim_start_matches("./").trim_matches('/');
    root.is_empty() || root == "." || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a restriction names a path: it is the beginning of paths, or a glob.
fn names(value: &str, path: &str) -> bool {
    if !value.contains(['*', '?']) {
        return path.starts_with(value);
    }
    let both = format!("{value},{}/**", value.trim_end_matches('/'));
    Patterns::read(&both, Language::Glob).is_ok_and(|patterns| patterns.fit(path))
}

/// Whether changed paths deploy a job: one of them is below its root path, not excluded, and matches, if something has to.
#[must_use]
pub fn is_concerned(root: &str, restrictions: &[Restriction], paths: &[String]) -> bool {
    let of = |mode: RestrictionMode| restrictions.iter().filter(move |one| one.mode == mode);
    let is_named = |mode, path: &str| of(mode).any(|one| names(&one.value, path));
    let must_match = of(RestrictionMode::Match).next().is_some();
    paths.iter().any(|path| {
        is_below(root, path)
            && !is_named(RestrictionMode::Exclude, path)
            && (!must_match || is_named(RestrictionMode::Match, path))
    })
}

#[cfg(test)]
mod tests {
    use entity::deployment_restriction::RestrictionKind;
    use entity::id::{JobId, RestrictionId};

    use super::*;

    fn concerned(root: &str, restrictions: &[(RestrictionMode, &str)], paths: &[&str]) -> bool {
        let rows: Vec<Restriction> = restrictions
            .iter()
            .map(|(mode, value)| Restriction {
                id: RestrictionId::create(),
                job_id: JobId::create(),
                created_at: chrono::DateTime::UNIX_EPOCH,
                updated_at: chrono::DateTime::UNIX_EPOCH,
                mode: *mode,
                kind: RestrictionKind::Path,
                value: (*value).to_owned(),
            })
            .collect();
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        is_concerned(root, &rows, &paths)
    }

    #[test]
    fn root_paths_and_restrictions() {
        use RestrictionMode::{Exclude, Match};
        for (root, restrictions, paths, expected) in [
            ("/", &[][..], &["a"][..], true),
            ("", &[], &[], false),
            ("app", &[], &["app/x"], true),
            ("/app/", &[], &["application/x", "docs/app/x"], false),
            ("/", &[(Exclude, "docs/")], &["docs/a"], false),
            ("/", &[(Exclude, "docs/")], &["docs/a", "src/b"], true),
            ("/", &[(Match, "src/")], &["docs/a"], false),
            ("/", &[(Match, "src/"), (Match, "lib/")], &["lib/a"], true),
            ("/", &[(Match, "src/"), (Exclude, "src/docs")], &["src/docs/a"], false),
            ("/", &[(Exclude, "*.md")], &["README.md"], false),
            ("/", &[(Exclude, "*.md")], &["docs/README.md"], true),
            ("/", &[(Match, "src/**/jobs")], &["src/a/b/jobs/x"], true),
        ] {
            assert_eq!(concerned(root, restrictions, paths), expected, "{root} {restrictions:?} {paths:?}");
        }
    }
}
