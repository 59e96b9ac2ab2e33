//! Pure: decides whether a stored credential may go where a request goes.
//!
//! A credential belongs to one organization and to the origins that were stored with it. Everything that sends one asks `permits`
//! for each request: also for redirects, submodules and token services.

use std::fmt;

use entity::id::OrganizationId;

use super::origin::{Origin, Scheme};

/// What a stored credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub organization: OrganizationId,
    /// Usually one.
    pub origins: Vec<Origin>,
}

/// A request that wants to send a credential.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The organization on whose behalf the request is made.
    pub organization: OrganizationId,
    pub url: &'a str,
    /// The URL whose response named this one as the token service for its credential.
    pub named_by: Option<&'a str>,
}

impl<'a> Destination<'a> {
    /// A request that the server makes by itself.
    #[must_use]
    pub fn new(organization: OrganizationId, url: &'a str) -> Self {
        Self { organization, url, named_by: None }
    }
}

/// Why a credential is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It belongs to another organization.
    Organization,
    /// It belongs to other origins than that of the request.
    Origin { own: Vec<Origin>, to: Option<Origin> },
}

/// Whether a credential may be sent. A token service gets it only over TLS, and only if an own origin of the credential named it.
///
/// # Errors
/// Why not.
pub fn permits(binding: &Binding, request: &Destination<'_>) -> Result<(), NotSent> {
    if binding.organization != request.organization {
        return Err(NotSent::Organization);
    }
    let to = Origin::of(request.url);
    let is_own = |origin: &Option<Origin>| origin.as_ref().is_some_and(|origin| binding.origins.contains(origin));
    let is_named = || {
        let named_by = request.named_by.and_then(Origin::of);
        is_own(&named_by) && to.as_ref().is_some_and(|to| to.scheme == Scheme::Https)
    };
    if is_own(&to) || is_named() {
        return Ok(());
    }
    Err(NotSent::Origin { own: binding.origins.clone(), to })
}

/// Whether a change gives a credential to an origin that it did not belong to. Then the secret must be given again.
#[must_use]
pub fn moves(before: &Binding, after: &Binding) -> bool {
    after.origins.iter().any(|origin| !before.origins.contains(origin))
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Origin { own, to } = self else {
            return f.write_str("the credential belongs to another organization");
        };
        let own: Vec<String> = own.iter().map(ToString::to_string).collect();
        match own.as_slice() {
            [] => f.write_str("the credential belongs to no host")?,
            own => write!(f, "the credential belongs to {}", own.join(" and "))?,
        }
        match to {
            Some(to) => write!(f, " and is not sent to {to}"),
            None => f.write_str(" and is not sent to a URL without a valid host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Binding, Destination, NotSent, permits};
    use crate::secret::origin::Origin;
    use entity::id::OrganizationId;

    fn bound() -> Binding {
        let origins = ["https://git.example", "http://127.0.0.1:8080"].map(|url| Origin::of(url).unwrap());
        Binding { organization: OrganizationId::create(), origins: origins.into() }
    }

    #[test]
    fn a_credential_is_sent_to_its_own_origins_only() {
        let bound = bound();
        let sent = |url: &str| permits(&bound, &Destination::new(bound.organization, url)).is_ok();
        for url in ["https://git.example/a", "https://x@GIT.example:443/b?c", "http://127.0.0.1:8080"] {
            assert!(sent(url), "{url}");
        }
        for url in [
            "http://git.example/a",
            "https://git.example:8443/a",
            "https://git.example.evil.example/",
            "https://evil.example/https://git.example/",
            "https://git.example@evil.example/",
            "https://sub.git.example/",
            "ssh://git.example/a",
            "http://127.0.0.1/",
            "https://git.example\\.evil.example/",
            "",
        ] {
            assert!(!sent(url), "{url}");
        }
    }

    #[test]
    fn other_organizations_never_get_it() {
        let bound = bound();
        let asked = Destination::new(OrganizationId::create(), "https://git.example/");
        assert_eq!(permits(&bound, &asked), Err(NotSent::Organization));
    }

    #[test]
    fn a_token_service_is_named_by_the_registry_itself() {
        let bound = bound();
        let asked =
            |url, named_by| Destination { named_by: Some(named_by), ..Destination::new(bound.organization, url) };
        assert!(permits(&bound, &asked("https://auth.example/token", "https://git.example/v2/")).is_ok());
        for (url, named_by) in [
            ("http://auth.example/token", "https://git.example/v2/"),
            ("https://auth.example/token", "https://cdn.example/v2/"),
            ("https://auth.example/token", "http://git.example/v2/"),
            ("https://auth.example\\@x/token", "https://git.example/v2/"),
        ] {
            assert!(permits(&bound, &asked(url, named_by)).is_err(), "{url} {named_by}");
        }
    }

    #[test]
    fn the_reason_names_both() {
        let bound = bound();
        let error = permits(&bound, &Destination::new(bound.organization, "https://evil.example/a")).unwrap_err();
        let text = "the credential belongs to https://git.example and http://127.0.0.1:8080 and is not sent to https://evil.example";
        assert_eq!(error.to_string(), text);
        let nowhere = Binding { origins: Vec::new(), ..bound };
        let error = permits(&nowhere, &Destination::new(nowhere.organization, "x")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the credential belongs to no host and is not sent to a URL without a valid host"
        );
    }
}
