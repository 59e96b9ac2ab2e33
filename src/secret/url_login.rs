//! Pure: logins inside URLs, which would be stored and shown in the clear.

use super::origin::Origin;

/// How tokens of git hosts begin.
const TOKENS: [&str; 8] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "ATBB"];

/// The least length of a user name that is taken for a token. Azure DevOps puts the name of an organization there.
const TOKEN_LENGTH: usize = 32;

/// Whether a URL contains a password, or a token in the place of a user name.
#[must_use]
pub fn has_secret(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let with_host = rest.split(['?', '#']).next().unwrap_or_default();
    // A password with a slash ends the authority too early for the strict parser, but not for every program.
    let login = match authority.rsplit_once('@') {
        Some((login, _)) => login,
        None if Origin::of(url).is_some() => return false,
        None => match with_host.rsplit_once('@') {
            Some((login, _)) => login,
            None => return false,
        },
    };
    let login = login.replace("%3A", ":").replace("%3a", ":");
    login.split_once(':').is_some_and(|(_, password)| !password.is_empty()) || is_token(&login)
}

fn is_token(user: &str) -> bool {
    let user = user.trim_end_matches(':');
    let is_random = user.len() >= TOKEN_LENGTH
        && user.bytes().any(|byte| byte.is_ascii_digit())
        && user.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_random || TOKENS.iter().any(|beginning| user.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::has_secret;

    #[test]
    fn passwords_and_tokens_are_found() {
        for url in [
            "https://me:pw@git.example/a.git",
            "https://me:p@w@git.example/a.git",
            "https://me%3Apw@git.example/a.git",
            "https://:pw@git.example/a.git",
            "https://me:p/w@git.example/a.git",
            "http://ghp_0123@github.com/a.git",
            "https://ghp_0123:@github.com/a.git",
            "https://glpat-x@gitlab.com/a.git",
            "https://0123456789abcdef0123456789abcdef01234567@github.com/a.git",
            "ssh://git:pw@git.example/a.git",
            "git::https://me:pw@git.example/a.git",
            "HTTPS://me:pw@git.example",
        ] {
            assert!(has_secret(url), "{url}");
        }
    }

    #[test]
    fn urls_without_a_secret_are_not() {
        for url in [
            "",
            "empty",
            "https://git.example/a.git",
            "https://git.example:8443/a@b:c",
            "https://git.example/a?b=c:d@e",
            "https://acme@dev.azure.com/acme/app/_git/app",
            "https://me:@git.example/a.git",
            "ssh://git@git.example:2222/a.git",
            "git@git.example:team/a.git",
            "file:///srv/a",
            "https://git.example",
        ] {
            assert!(!has_secret(url), "{url}");
        }
    }
}
