//! Pure: the path of a repository in its URL, such as `acme/infra`.

/// The path of a URL such as `https://git.example/acme/infra.git` or `git@git.example:acme/infra`.
#[must_use]
pub fn of_url(url: &str) -> Option<String> {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once(':')?.1,
    };
    let path = rest.split(['?', '#']).next()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!path.is_empty()).then(|| path.to_owned())
}

/// Whether a URL is that of a repository with this path. A server may be installed below a path of its own.
#[must_use]
pub fn names(url: &str, repository: &str) -> bool {
    let Some(path) = of_url(url) else { return false };
    let (path, repository) = (path.to_lowercase(), repository.trim_matches('/').to_lowercase());
    !repository.is_empty() && (path == repository || path.ends_with(&format!("/{repository}")))
}

#[cfg(test)]
mod tests {
    use super::{names, of_url};

    #[test]
    fn paths_of_urls() {
        for (url, path) in [
            ("https://github.com/acme/infra.git", "acme/infra"),
            ("https://git.example/scm/acme/infra/", "scm/acme/infra"),
            ("git@github.com:acme/infra.git", "acme/infra"),
            ("ssh://git@git.example:2222/acme/tools/infra", "acme/tools/infra"),
        ] {
            assert_eq!(of_url(url).as_deref(), Some(path), "{url}");
        }
        for none in ["empty", "", "https://git.example", "https://git.example/"] {
            assert_eq!(of_url(none), None, "{none}");
        }
    }

    #[test]
    fn names_of_repositories() {
        assert!(names("https://github.com/Acme/infra.git", "acme/infra"));
        assert!(names("https://git.example/scm/acme/infra.git", "acme/infra"));
        for (url, other) in [
            ("https://github.com/acme/infra", "acme/infra2"),
            ("https://github.com/bacme/infra", "acme/infra"),
            ("https://github.com/acme/infra", ""),
            ("empty", "acme/infra"),
        ] {
            assert!(!names(url, other), "{url} {other}");
        }
    }
}
