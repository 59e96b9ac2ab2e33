//! The TLS certificate: whether it can be read, fits its key, and is valid now.

use chrono::{DateTime, TimeDelta, Utc};

use super::certificate_dates::validity;
use super::finding::Finding;
use crate::config::Config;
use crate::server::certificate_chain;

const SUBJECT: &str = "TLS certificate";
/// How long before its end there is a warning.
const SOON: TimeDelta = TimeDelta::days(21);

pub(super) fn check(config: &Config, now: DateTime<Utc>) -> Option<Finding> {
    let path = config.tls_certificate.as_ref()?;
    Some(match certificate_chain(config) {
        Ok(chain) => match chain.first().and_then(|der| validity(der)) {
            Some(times) => valid(times, now),
            None => {
                Finding::wrong(SUBJECT, format!("the first certificate of {} cannot be read", path.display()), renew())
            }
        },
        Err(error) => {
            let remedy =
                "both files are PEM, the certificate of the server stands first, and the server's user may read them";
            Finding::wrong(SUBJECT, error, remedy)
        }
    })
}

fn valid((from, until): (DateTime<Utc>, DateTime<Utc>), now: DateTime<Utc>) -> Finding {
    let day = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC").to_string();
    if now < from {
        return Finding::wrong(
            SUBJECT,
            format!("the certificate is not valid before {}", day(from)),
            "check the clock of this machine",
        );
    }
    if now > until {
        return Finding::wrong(SUBJECT, format!("the certificate expired on {}", day(until)), renew());
    }
    let detail = format!("the certificate fits its key and is valid until {}", day(until));
    if until - now < SOON { Finding::warning(SUBJECT, detail, renew()) } else { Finding::ok(SUBJECT, detail) }
}

fn renew() -> &'static str {
    "replace both files; the server reloads them by itself"
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::finding::Outcome;
    use super::valid;

    #[test]
    fn the_end_is_noticed_in_time() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let of =
            |from: i64, until: i64| valid((now + TimeDelta::days(from), now + TimeDelta::days(until)), now).outcome;
        let outcomes = [of(1, 90), of(-90, -1), of(-90, 20), of(-90, 22)];
        assert_eq!(outcomes, [Outcome::Wrong, Outcome::Wrong, Outcome::Warning, Outcome::Ok]);
    }
}
