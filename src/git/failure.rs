//! Pure: why a call of git failed: a reason for anybody, and what git said, without logins.

use std::fmt;

use crate::secret::Origin;

/// The most characters of git's own words that are kept.
const SAID: usize = 1000;

/// Why a repository could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A reason that contains no part of the URL.
    pub reason: String,
    /// What git said, on one line; empty if it said nothing.
    pub said: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said.is_empty() {
            true => f.write_str(&self.reason),
            false => write!(f, "{} (git: {})", self.reason, self.said),
        }
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, said: String::new() }
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.to_string()
    }
}

const NO_LOGIN: &str = "the repository was not found, or it requires a login, and none was given";
const REJECTED: &str = "the repository rejected the login";
const ELSEWHERE: &str = "another host requires a login, and the given one is not sent there";

/// What git says for each reason; the first one that fits counts.
const REASONS: [(&[&str], &str); 9] = [
    (&["is not sent to"], "the SSH key belongs to another host"),
    (
        &["could not resolve host", "name or service not known", "temporary failure in name resolution"],
        "the host of the repository does not exist",
    ),
    (
        &["transport 'ssh' not allowed", "permission denied (publickey", "no such identity"],
        "the repository rejected the SSH key, or no key was given",
    ),
    (&["could not read username", "could not read password", "terminal prompts disabled"], NO_LOGIN),
    (&["authentication failed", "permission denied", "returned error: 403", "access denied"], REJECTED),
    (
        &["remote branch", "find remote ref", "not our ref", "no such ref"],
        "the repository has no such branch or commit",
    ),
    (
        &[
            "not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "does not exist",
            "no such repository",
        ],
        "the repository was not found, or the login may not read it",
    ),
    (
        &["certificate", "ssl", "tls", "host key verification failed"],
        "the host of the repository could not be verified",
    ),
    (&["not allowed"], "the URL of the repository is not allowed"),
];

/// What the caller gave to a repository that asks for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given<'a> {
    /// A login, for these origins only.
    Login(&'a [Origin]),
    Nothing,
}

/// The failure that git reported.
pub(super) fn failure(stderr: &str, given: Given<'_>) -> Failure {
    let lower = stderr.to_lowercase();
    let fits = |words: &&(&[&str], &str)| words.0.iter().any(|word| lower.contains(word));
    let reason = match (REASONS.iter().find(fits), given) {
        // Git asks for another login when the given one is rejected.
        (Some((_, NO_LOGIN)), Given::Login(own)) => match asking(stderr) {
            Some(host) if !own.contains(&host) => ELSEWHERE,
            _ => REJECTED,
        },
        (Some((_, reason)), _) => reason,
        (None, _) => "the host of the repository cannot be reached",
    };
    Failure { reason: reason.to_owned(), said: said(stderr) }
}

/// The origin that git wants a login for.
fn asking(stderr: &str) -> Option<Origin> {
    let (_, behind) = stderr.split_once(" for '")?;
    Origin::of(behind.split('\'').next()?)
}

/// What git said, on one line and without logins in URLs.
fn said(stderr: &str) -> String {
    let noise = |line: &&str| !line.is_empty() && !line.starts_with("Warning: Permanently added");
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(noise).collect();
    let words: Vec<String> = lines.join("; ").split(' ').map(without_login).collect();
    words.join(" ").chars().filter(|letter| !letter.is_control()).take(SAID).collect()
}

/// A word without the login of a URL in it.
fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(host);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{authority}{path}")
}

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, Given, REJECTED, failure};
    use crate::secret::Origin;

    #[test]
    fn each_failure_has_its_reason() {
        let cases = [
            (
                "fatal: unable to access 'https://x/': Could not resolve host: x",
                "host of the repository does not exist",
            ),
            ("ssh: Could not resolve hostname x: Name or service not known", "host of the repository does not exist"),
            (
                "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused",
                "cannot be reached",
            ),
            ("remote: Repository not found.\nfatal: repository 'https://x/y/' not found", "was not found"),
            ("fatal: '/srv/x' does not appear to be a git repository", "was not found"),
            ("fatal: could not read Username for 'https://x': terminal prompts disabled", "requires a login"),
            ("fatal: Authentication failed for 'https://x/'", "rejected the login"),
            ("me@x: Permission denied (publickey).", "rejected the SSH key"),
            ("fatal: transport 'ssh' not allowed", "no key was given"),
            ("fatal: couldn't find remote ref refs/heads/x", "no such branch"),
            ("fatal: Remote branch x not found in upstream origin", "no such branch"),
            ("fatal: unable to access 'https://x/': SSL certificate problem: expired", "could not be verified"),
        ];
        for (said, reason) in cases {
            let found = failure(said, Given::Nothing);
            assert!(found.reason.contains(reason), "{said}: {found:?}");
            assert!(found.to_string().contains(said.lines().next().unwrap()), "{found}");
        }
        let asked = "fatal: could not read Username for 'https://x': terminal prompts disabled";
        let own = ["https://x", "https://y"].map(|url| Origin::of(url).unwrap());
        assert_eq!(failure(asked, Given::Login(&own)).reason, REJECTED);
        assert_eq!(failure(asked, Given::Login(&own[1..])).reason, ELSEWHERE);
    }

    #[test]
    fn a_login_is_not_repeated() {
        let found = failure(
            "fatal: unable to access 'https://me:pa@ss@host/x@y/': no\n\nWarning: Permanently added 'h'",
            Given::Nothing,
        );
        assert_eq!(found.said, "fatal: unable to access 'https://host/x@y/': no");
    }
}
