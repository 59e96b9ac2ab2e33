//! Pure: the origin of a URL: its scheme, host and port.
//!
//! Programs disagree about unusual URLs, so the parser is strict: a URL that it does not accept has no origin, and no credential is
//! sent there.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The schemes of URLs that credentials are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
    Ssh,
}

/// Where a credential is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub scheme: Scheme,
    /// In lower case; IPv6 addresses without brackets.
    pub host: String,
    pub port: u16,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::Http, Self::Https, Self::Ssh];

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Ssh => 22,
        }
    }
}

impl Origin {
    /// The origin of an http, https or ssh URL, or of the short form of ssh, `user@host:path`.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        if url.chars().any(char::is_control) {
            return None;
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            let (place, _) = url.split_once(':')?;
            return Self::new(Scheme::Ssh, place);
        };
        let scheme = Scheme::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(scheme))?;
        Self::new(scheme, rest.split(['/', '?', '#']).next()?)
    }

    /// From `login@host:port`; the login and the port may be absent.
    fn new(scheme: Scheme, authority: &str) -> Option<Self> {
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        if !login.chars().all(|c| c.is_ascii_graphic() && !"@\\/[]<>\"".contains(c)) {
            return None;
        }
        let address_end = place.rfind(']').unwrap_or(0);
        let (host, port) = match place.rfind(':').filter(|colon| *colon > address_end) {
            Some(colon) => place.split_at_checked(colon)?,
            None => (place, ""),
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().ok()?.to_string(),
            None if !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) => {
                host.to_ascii_lowercase()
            }
            None => return None,
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => scheme.default_port(),
        };
        Some(Self { scheme, host, port })
    }

    /// Whether the host is this machine, by its name or by an address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether requests are made with HTTP, encrypted or not.
    #[must_use]
    pub fn is_web(&self) -> bool {
        matches!(self.scheme, Scheme::Http | Scheme::Https)
    }
}

/// As the beginning of a URL, without the default port.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        match host.contains(':') {
            true => write!(f, "{}://[{host}]", scheme.name())?,
            false => write!(f, "{}://{host}", scheme.name())?,
        }
        if *port == scheme.default_port() { Ok(()) } else { write!(f, ":{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn urls_have_an_origin() {
        for (url, origin) in [
            ("https://github.com/a/b.git", "https://github.com"),
            ("HTTPS://GitHub.com:443", "https://github.com"),
            ("http://git.example:8080?x=1", "http://git.example:8080"),
            ("https://me:pa:ss@git.example/a@b:c", "https://git.example"),
            ("https://me@git.example:8443/", "https://git.example:8443"),
            ("https://[::1]:5000/v2/", "https://[::1]:5000"),
            ("https://[0:0::1]/", "https://[::1]"),
            ("ssh://git@git.example:2222/a.git", "ssh://git.example:2222"),
            ("git@git.example:team/a.git", "ssh://git.example"),
            ("git.example:a.git", "ssh://git.example"),
        ] {
            assert_eq!(Origin::of(url).map(|origin| origin.to_string()).as_deref(), Some(origin), "{url}");
        }
    }

    #[test]
    fn unusual_urls_have_none() {
        for url in [
            "",
            "https://",
            "https:///github.com",
            "https://github.com\\@evil.example/",
            "https://github.com\\.evil.example/",
            "https://github.com@evil.example@github.com/",
            "https://github.com%2f@[evil.example]/",
            "https://git hub.com/",
            "https://github.com\n.evil.example/",
            "https://github.com/\nhost=evil.example",
            "https://gïthub.com/",
            "https://github.com:/",
            "https://github.com:+1/",
            "https://github.com:65536/",
            "https://[::1/",
            "https://::1/",
            "file:///etc",
            "ftp://github.com/",
            "/srv/a:b",
            " https://github.com/",
        ] {
            assert_eq!(Origin::of(url), None, "{url:?}");
        }
    }
}
