//! Pure: parses authentication challenges of registries.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String> },
}

pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let text = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let value = |key: &str| {
        let (_, behind) = rest.split_once(&format!("{key}=\""))?;
        behind.split_once('"').map(|(value, _)| value.to_owned())
    };
    if word.eq_ignore_ascii_case("basic") {
        Some(Challenge::Basic)
    } else if word.eq_ignore_ascii_case("bearer") {
        // Send the password over TLS only.
        let realm = value("realm").filter(|realm| realm.starts_with("https://"))?;
        Some(Challenge::Bearer { realm, service: value("service") })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
            challenge(&headers)
        };
        assert_eq!(read("Basic realm=\"x\""), Some(Challenge::Basic));
        let bearer = read("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"");
        let realm = "https://auth.docker.io/token".to_owned();
        assert_eq!(bearer, Some(Challenge::Bearer { realm, service: Some("registry.docker.io".into()) }));
        assert_eq!(read("Bearer realm=\"http://elsewhere/token\""), None);
        assert_eq!(read("Digest x"), None);
    }
}
