//! Pure: from when and until when a certificate is valid. Reads as much of its encoding (DER) as is necessary for that.

use chrono::{DateTime, NaiveDateTime, Utc};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Both times; `None` if this is not a certificate.
pub(super) fn validity(der: &[u8]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, signed, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    // The version is optional. The serial number, the algorithm and the issuer come before the validity.
    let mut rest = signed;
    if let Some((VERSION, _, after)) = element(rest) {
        rest = after;
    }
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (_, times, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (tag, from, after) = element(times)?;
    let from = time(tag, from)?;
    let (tag, until, _) = element(after)?;
    Some((from, time(tag, until)?))
}

/// The tag and the content of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length =
            digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add((*digit).into()))?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn time(tag: u8, text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = match tag {
        // Two digits of the year: those from 50 on are of the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::{element, validity};

    #[test]
    fn the_times_of_a_certificate_are_read() {
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 31);
        parameters.not_after = rcgen::date_time_ymd(2051, 12, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = parameters.self_signed(&key).unwrap().der().to_vec();
        let (from, until) = validity(&der).unwrap();
        assert_eq!(from.to_rfc3339(), "2026-01-31T00:00:00+00:00");
        assert_eq!(until.to_rfc3339(), "2051-12-01T00:00:00+00:00", "from 2050 on, the year has four digits");
        for length in 0..150 {
            assert!(validity(&der[..length]).is_none());
        }
        assert!(validity(b"no certificate").is_none());
        assert!(element(&[0x30, 0x89, 255, 255, 255, 255, 255, 255, 255, 255, 255]).is_none(), "an enormous length");
    }
}
