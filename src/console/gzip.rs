//! Compresses pages and files.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{HeaderMap, header};

/// The smallest body that is worth compressing, in bytes.
const SMALLEST: usize = 1024;

/// Compresses bytes; none if that makes them no smaller.
pub(super) fn compressed(bytes: &[u8], level: Compression) -> Option<Vec<u8>> {
    if bytes.len() < SMALLEST {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|shorter| shorter.len() < bytes.len())
}

/// Whether the client accepts compressed bodies.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| {
        let mut words = one.split(';').map(str::trim);
        let is_gzip = words.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !words.any(|weight| weight.replace(' ', "").trim_end_matches(['0', '.']) == "q=")
    })
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, header};

    use super::is_accepted;

    #[test]
    fn what_a_client_accepts() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            is_accepted(&headers)
        };
        assert!(["gzip", "br, gzip;q=0.5", "deflate,GZIP"].into_iter().all(accepts));
        assert!(["", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"].into_iter().all(|value| !accepts(value)));
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
