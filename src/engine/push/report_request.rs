//! Pure: the requests with which each provider is told about a job.

use entity::workspace_push::PushProvider;
use serde_json::{Value, json};

use super::report_text::CommitState;

/// How a request changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportMethod {
    Post,
    Put,
    Patch,
}

/// A request to a provider. The token is added when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportRequest {
    pub method: ReportMethod,
    pub url: String,
    pub body: Value,
}

/// The API of a provider. Gitea and Forgejo have that of GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportApi {
    dialect: Dialect,
    base: String,
    repository: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Github,
    Gitlab,
    Bitbucket,
}

/// What a connection says about the API of its host.
#[derive(Clone, Copy, Debug)]
pub struct ReportHost<'a> {
    pub vcs_type: &'a str,
    pub endpoint: Option<&'a str>,
    pub api_url: Option<&'a str>,
}

impl ReportApi {
    /// The API of a connection.
    ///
    /// # Errors
    /// Why nothing can be reported there.
    pub fn of(host: &ReportHost<'_>, provider: PushProvider, repository: &str) -> Result<Self, String> {
        let dialect = match (host.vcs_type, provider) {
            ("GITHUB", _) | ("PUBLIC", PushProvider::Github | PushProvider::Gitea) => Dialect::Github,
            ("GITLAB", _) | ("PUBLIC", PushProvider::Gitlab) => Dialect::Gitlab,
            ("BITBUCKET", _) | ("PUBLIC", PushProvider::Bitbucket) => Dialect::Bitbucket,
            (other, _) => return Err(format!("nothing can be reported through a connection of the type {other}")),
        };
        let given = |text: Option<&str>| {
            text.map(|text| text.trim().trim_end_matches('/').to_owned()).filter(|text| !text.is_empty())
        };
        let endpoint = given(host.endpoint);
        let base = given(host.api_url).unwrap_or_else(|| match (dialect, endpoint) {
            (Dialect::Github, Some(own)) if provider == PushProvider::Gitea => format!("{own}/api/v1"),
            (Dialect::Github, Some(own)) if own != "https://github.com" => format!("{own}/api/v3"),
            (Dialect::Github, _) => "https://api.github.com".to_owned(),
            (Dialect::Gitlab, own) => format!("{}/api/v4", own.unwrap_or_else(|| "https://gitlab.com".to_owned())),
            (Dialect::Bitbucket, _) => "https://api.bitbucket.org/2.0".to_owned(),
        });
        Ok(Self { dialect, base, repository: repository.to_owned() })
    }

    /// The header with the token.
    #[must_use]
    pub fn authorization(&self, token: &str) -> String {
        match self.dialect {
            // Gitea understands this word in all of its versions.
            Dialect::Github => format!("token {token}"),
            Dialect::Gitlab | Dialect::Bitbucket => format!("Bearer {token}"),
        }
    }

    /// The address of the repository.
    fn repository(&self) -> String {
        let base = &self.base;
        match self.dialect {
            Dialect::Github => format!("{base}/repos/{}", encoded(&self.repository, "/")),
            Dialect::Gitlab => format!("{base}/projects/{}", encoded(&self.repository, "")),
            Dialect::Bitbucket => format!("{base}/repositories/{}", encoded(&self.repository, "/")),
        }
    }

    /// Sets the status of a commit.
    #[must_use]
    pub fn status(
        &self,
        commit: &str,
        (state, context): (CommitState, &str),
        (description, link): (&str, &str),
    ) -> ReportRequest {
        let word = match (self.dialect, state) {
            (Dialect::Bitbucket, CommitState::Pending | CommitState::Running) => "INPROGRESS",
            (Dialect::Bitbucket, CommitState::Success) => "SUCCESSFUL",
            (Dialect::Bitbucket, CommitState::Failure) => "FAILED",
            (Dialect::Bitbucket, CommitState::Cancelled) => "STOPPED",
            (Dialect::Gitlab, CommitState::Running) => "running",
            (_, CommitState::Pending | CommitState::Running) => "pending",
            (_, CommitState::Success) => "success",
            (Dialect::Github, CommitState::Failure) => "failure",
            (Dialect::Github, CommitState::Cancelled) => "error",
            (Dialect::Gitlab, CommitState::Failure) => "failed",
            (Dialect::Gitlab, CommitState::Cancelled) => "canceled",
        };
        let (repository, commit) = (self.repository(), encoded(commit, ""));
        let (url, body) = match self.dialect {
            Dialect::Github => (
                format!("{repository}/statuses/{commit}"),
                json!({"state": word, "target_url": link, "description": description, "context": context}),
            ),
            Dialect::Gitlab => (
                format!("{repository}/statuses/{commit}"),
                json!({"state": word, "target_url": link, "description": description, "name": context}),
            ),
            Dialect::Bitbucket => (
                format!("{repository}/commit/{commit}/statuses/build"),
                json!({"state": word, "url": link, "description": description, "key": key(context), "name": context}),
            ),
        };
        ReportRequest { method: ReportMethod::Post, url, body }
    }

    /// What a status says. It is not sent twice: GitLab refuses the state that a commit has, so a new description alone is not sent there.
    #[must_use]
    pub fn status_text(&self, state: CommitState, (description, link): (&str, &str)) -> String {
        match self.dialect {
            Dialect::Gitlab => format!("{state:?} {link}"),
            Dialect::Github | Dialect::Bitbucket => format!("{state:?} {link} {description}"),
        }
    }

    /// Whether an answer says that the commit has this state, or a later one, already: an earlier request arrived and its answer did not, or
    /// another job reports the same commit.
    #[must_use]
    pub fn has_status_already(&self, (status, answer): (u16, &[u8])) -> bool {
        self.dialect == Dialect::Gitlab
            && status == 400
            && String::from_utf8_lossy(answer).contains("Cannot transition status")
    }

    /// Creates the comment of a pull request, or replaces the text of the one with this id.
    #[must_use]
    pub fn comment(&self, pr_number: i32, id: Option<&str>, text: &str) -> ReportRequest {
        let repository = self.repository();
        let new = match self.dialect {
            Dialect::Github => format!("{repository}/issues/{pr_number}/comments"),
            Dialect::Gitlab => format!("{repository}/merge_requests/{pr_number}/notes"),
            Dialect::Bitbucket => format!("{repository}/pullrequests/{pr_number}/comments"),
        };
        let (method, url) = match (self.dialect, id) {
            (_, None) => (ReportMethod::Post, new),
            (Dialect::Github, Some(id)) => (ReportMethod::Patch, format!("{repository}/issues/comments/{id}")),
            (Dialect::Gitlab | Dialect::Bitbucket, Some(id)) => (ReportMethod::Put, format!("{new}/{id}")),
        };
        let body = match self.dialect {
            Dialect::Github | Dialect::Gitlab => json!({"body": text}),
            Dialect::Bitbucket => json!({"content": {"raw": text}}),
        };
        ReportRequest { method, url, body }
    }
}

/// The id of a comment in the answer of a provider.
#[must_use]
pub fn id_in(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    answer.get("id")?.as_u64().map(|id| id.to_string())
}

/// A key has at most 40 characters at Bitbucket. Longer names keep their end, which tells workspaces and plans apart.
fn key(context: &str) -> String {
    let letters: Vec<char> = context.chars().collect();
    letters.iter().skip(letters.len().saturating_sub(40)).collect()
}

/// Percent-encodes a part of a path, except for these characters.
fn encoded(text: &str, kept: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(vcs_type: &str, endpoint: Option<&str>, provider: PushProvider) -> ReportApi {
        ReportApi::of(&ReportHost { vcs_type, endpoint, api_url: None }, provider, "acme/in fra").unwrap()
    }

    #[test]
    fn addresses_of_apis() {
        let base = |vcs_type: &str, endpoint: Option<&str>, provider| api(vcs_type, endpoint, provider).base;
        let poll = PushProvider::Poll;
        assert_eq!(base("GITHUB", None, poll), "https://api.github.com");
        assert_eq!(base("GITHUB", Some("https://github.com/"), poll), "https://api.github.com");
        assert_eq!(base("GITHUB", Some("https://git.example"), poll), "https://git.example/api/v3");
        assert_eq!(base("PUBLIC", Some("https://git.example/"), PushProvider::Gitea), "https://git.example/api/v1");
        assert_eq!(base("GITLAB", None, poll), "https://gitlab.com/api/v4");
        assert_eq!(base("GITLAB", Some("https://git.example/x/"), poll), "https://git.example/x/api/v4");
        assert_eq!(base("BITBUCKET", None, poll), "https://api.bitbucket.org/2.0");
        let own = ReportHost { vcs_type: "GITHUB", endpoint: None, api_url: Some("https://git.example/api/v1/") };
        assert_eq!(ReportApi::of(&own, poll, "a/b").unwrap().base, "https://git.example/api/v1");
        for none in ["AZURE_DEVOPS", "PUBLIC"] {
            let host = ReportHost { vcs_type: none, endpoint: None, api_url: None };
            assert!(ReportApi::of(&host, poll, "a/b").unwrap_err().contains(none));
        }
    }

    #[test]
    fn statuses() {
        let said = (CommitState::Cancelled, "windlass/net");
        let of = |api: ReportApi| api.status("abc/1", said, ("text", "https://w.example"));
        let github = of(api("GITHUB", None, PushProvider::Github));
        assert_eq!(github.url, "https://api.github.com/repos/acme/in%20fra/statuses/abc%2F1");
        assert_eq!((&github.body["state"], &github.body["context"]), (&json!("error"), &json!("windlass/net")));
        let gitlab = of(api("GITLAB", None, PushProvider::Gitlab));
        assert_eq!(gitlab.url, "https://gitlab.com/api/v4/projects/acme%2Fin%20fra/statuses/abc%2F1");
        assert_eq!((&gitlab.body["state"], &gitlab.body["name"]), (&json!("canceled"), &json!("windlass/net")));
        let bitbucket = of(api("BITBUCKET", None, PushProvider::Bitbucket));
        assert!(bitbucket.url.ends_with("/repositories/acme/in%20fra/commit/abc%2F1/statuses/build"));
        assert_eq!(bitbucket.body["state"], "STOPPED");
        assert_eq!(key(&"x".repeat(50)).len(), 40);
    }

    #[test]
    fn gitlab_is_told_each_state_once() {
        let word = |vcs_type: &str, state| {
            let api = api(vcs_type, None, PushProvider::Poll);
            let request = api.status("abc", (state, "windlass/net"), ("text", "https://w.example"));
            request.body["state"].as_str().unwrap().to_owned()
        };
        for (vcs_type, pending, running) in [
            ("GITHUB", "pending", "pending"),
            ("GITLAB", "pending", "running"),
            ("BITBUCKET", "INPROGRESS", "INPROGRESS"),
        ] {
            assert_eq!(word(vcs_type, CommitState::Pending), pending);
            assert_eq!(word(vcs_type, CommitState::Running), running);
            let api = api(vcs_type, None, PushProvider::Poll);
            let text = |description: &str| api.status_text(CommitState::Running, (description, "https://w.example"));
            assert_eq!(text("a") == text("b"), vcs_type == "GITLAB");
            let said = br#"{"message":"Cannot transition status via :enqueue from :pending"}"#;
            assert_eq!(api.has_status_already((400, said)), vcs_type == "GITLAB");
            assert!(!api.has_status_already((400, b"{}")) && !api.has_status_already((401, said)));
        }
    }

    #[test]
    fn comments_are_created_and_edited() {
        let of = |vcs_type: &str, id: Option<&str>| {
            let made = api(vcs_type, None, PushProvider::Poll).comment(7, id, "text");
            (made.method, made.url.rsplit_once("fra").unwrap().1.to_owned())
        };
        assert_eq!(of("GITHUB", None), (ReportMethod::Post, "/issues/7/comments".into()));
        assert_eq!(of("GITHUB", Some("9")), (ReportMethod::Patch, "/issues/comments/9".into()));
        assert_eq!(of("GITLAB", None), (ReportMethod::Post, "/merge_requests/7/notes".into()));
        assert_eq!(of("GITLAB", Some("9")), (ReportMethod::Put, "/merge_requests/7/notes/9".into()));
        assert_eq!(of("BITBUCKET", Some("9")), (ReportMethod::Put, "/pullrequests/7/comments/9".into()));
        assert_eq!(id_in(br#"{"id": 12, "body": "x"}"#).as_deref(), Some("12"));
        for none in ["", "{}", r#"{"id": "../x"}"#, "[]"] {
            assert_eq!(id_in(none.as_bytes()), None, "{none}");
        }
    }
}
