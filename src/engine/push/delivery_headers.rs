//! Pure: who delivers, what, and whether with the right signature.

use entity::workspace_push::PushProvider;
use serde_json::Value;

use super::delivery_signature::{digest, is_signed, is_token};
use super::heard::Heard;
use super::{bitbucket_payload, github_payload, gitlab_payload};

/// The longest id of a delivery and name of an event.
const LONGEST: usize = 200;

/// Why a delivery is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAccepted {
    /// Its headers are those of no known provider, or some are missing.
    Unknown(&'static str),
    /// The signature or the token is missing or wrong.
    Unsigned(&'static str),
}

/// A delivery whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub provider: PushProvider,
    pub id: String,
    /// By which a replay under another id is recognized. Equal for equal bodies, if they are signed.
    pub digest: String,
    event: String,
}

const NO_PROVIDER: &str = "the delivery has no header X-GitHub-Event, X-Gitlab-Event, X-Gitea-Event or X-Event-Key";
const NO_ID: &str =
    "the delivery has no id: X-GitHub-Delivery, X-Gitlab-Event-UUID, X-Gitea-Delivery or X-Request-UUID";
const NO_SIGNATURE: &str = "the delivery is not signed: give the provider the secret of the webhook";
const SHA1: &str = "the signature must be an HMAC-SHA256, as in X-Hub-Signature-256";
const WRONG: &str = "the signature is wrong: the provider has another secret";
const NO_TOKEN: &str = "the delivery has no X-Gitlab-Token: give GitLab the secret of the webhook";
const WRONG_TOKEN: &str = "X-Gitlab-Token is not the secret of the webhook";

/// Checks the headers and the signature of a delivery. `header` reads a header by its name in lower case.
///
/// # Errors
/// Why it is not accepted.
pub fn check<'a>(header: impl Fn(&str) -> Option<&'a str>, secret: &str, body: &[u8]) -> Result<Delivery, NotAccepted> {
    let first =
        |names: &[&str]| names.iter().find_map(|name| header(name)).map(str::trim).filter(|text| !text.is_empty());
    // Gitea and Forgejo send the headers of GitHub, too.
    let known: [(PushProvider, &[&str], &[&str]); 4] = [
        (PushProvider::Gitea, &["x-gitea-event", "x-forgejo-event"], &["x-gitea-delivery", "x-forgejo-delivery"]),
        (PushProvider::Github, &["x-github-event"], &["x-github-delivery"]),
        (PushProvider::Gitlab, &["x-gitlab-event"], &["idempotency-key", "x-gitlab-event-uuid"]),
        (PushProvider::Bitbucket, &["x-event-key"], &["x-request-uuid"]),
    ];
    let found = known.into_iter().find_map(|(provider, events, ids)| Some((provider, first(events)?, ids)));
    let (provider, event, ids) = found.ok_or(NotAccepted::Unknown(NO_PROVIDER))?;
    let id = first(ids).filter(|id| id.len() <= LONGEST).ok_or(NotAccepted::Unknown(NO_ID))?;
    let digest = if provider == PushProvider::Gitlab {
        let token = first(&["x-gitlab-token"]).ok_or(NotAccepted::Unsigned(NO_TOKEN))?;
        if !is_token(secret, token) {
            return Err(NotAccepted::Unsigned(WRONG_TOKEN));
        }
        // Whoever knows the token can send any body, and GitLab says no time in it: a push that is made again has the same one. So the id
        // alone tells deliveries apart.
        digest(&[id.as_bytes(), b"\n", body])
    } else {
        let names = ["x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature", "x-hub-signature"];
        let signature = first(&names).ok_or(NotAccepted::Unsigned(NO_SIGNATURE))?;
        let signature = match signature.split_once('=') {
            Some(("sha256", digits)) => digits,
            Some(_) => return Err(NotAccepted::Unsigned(SHA1)),
            None => signature,
        };
        if !is_signed(secret, body, signature) {
            return Err(NotAccepted::Unsigned(WRONG));
        }
        digest(&[body])
    };
    let event = event.chars().take(LONGEST).collect();
    Ok(Delivery { provider, id: id.to_owned(), digest, event })
}

impl Delivery {
    /// What the delivery says, at least one thing.
    #[must_use]
    pub fn read(&self, payload: &Value) -> Vec<Heard> {
        match self.provider {
            PushProvider::Github | PushProvider::Gitea | PushProvider::Poll => {
                vec![github_payload::read(self.provider, &self.event, payload)]
            }
            PushProvider::Gitlab => vec![gitlab_payload::read(&self.event, payload)],
            PushProvider::Bitbucket => bitbucket_payload::read(&self.event, payload),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&str, &str)], body: &str) -> Result<Delivery, NotAccepted> {
        let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        check(find, "It's a Secret to Everybody", body.as_bytes())
    }

    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_headers_of_each_provider() {
        let body = "Hello, World!";
        let github = [("x-github-event", "push"), ("x-github-delivery", "1"), ("x-hub-signature-256", SIGNATURE)];
        assert_eq!(checked(&github, body).unwrap().provider, PushProvider::Github);
        let gitea = [
            ("x-github-event", "push"),
            ("x-gitea-event", "push"),
            ("x-gitea-delivery", "2"),
            ("x-gitea-signature", &SIGNATURE[7..]),
        ];
        let gitea = checked(&gitea, body).unwrap();
        assert_eq!((gitea.provider, gitea.id.as_str()), (PushProvider::Gitea, "2"));
        let bitbucket = [("x-event-key", "repo:push"), ("x-request-uuid", "3"), ("x-hub-signature", SIGNATURE)];
        assert_eq!(checked(&bitbucket, body).unwrap().provider, PushProvider::Bitbucket);
        let secret = "It's a Secret to Everybody";
        let gitlab = [("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", "4"), ("x-gitlab-token", secret)];
        let gitlab = checked(&gitlab, body).unwrap();
        assert_eq!(gitlab.provider, PushProvider::Gitlab);
        let other = [("x-gitlab-event", "Push Hook"), ("idempotency-key", "5"), ("x-gitlab-token", secret)];
        assert_ne!(checked(&other, body).unwrap().digest, gitlab.digest, "the same body with another id");
    }

    #[test]
    fn what_is_not_accepted() {
        let body = "Hello, World!";
        let with = |more: &[(&'static str, &'static str)]| {
            let mut all = vec![("x-github-event", "push"), ("x-github-delivery", "1")];
            all.extend(more);
            checked(&all, body).unwrap_err()
        };
        assert_eq!(checked(&[], body), Err(NotAccepted::Unknown(NO_PROVIDER)));
        let no_id = [("x-github-event", "push"), ("x-hub-signature-256", SIGNATURE)];
        assert_eq!(checked(&no_id, body), Err(NotAccepted::Unknown(NO_ID)));
        assert_eq!(with(&[]), NotAccepted::Unsigned(NO_SIGNATURE));
        assert_eq!(with(&[("x-hub-signature", "sha1=00")]), NotAccepted::Unsigned(SHA1));
        assert_eq!(with(&[("x-hub-signature-256", "sha256=00")]), NotAccepted::Unsigned(WRONG));
        let gitlab = [("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", "4")];
        assert_eq!(checked(&gitlab, body), Err(NotAccepted::Unsigned(NO_TOKEN)));
        let wrong = [gitlab[0], gitlab[1], ("x-gitlab-token", "x")];
        assert_eq!(checked(&wrong, body), Err(NotAccepted::Unsigned(WRONG_TOKEN)));
    }
}
