//! Pure: sizes as text.

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// "512 B", "1.5 KiB" or "20 MiB": below ten, with one decimal place. Rounded down, so that a size is never larger than it is.
#[must_use]
pub fn byte_size(bytes: u64) -> String {
    let (mut rest, mut unit) = (bytes, None);
    let mut tenths = 0;
    for name in UNITS {
        if rest < 1024 {
            break;
        }
        tenths = rest % 1024 * 10 / 1024;
        rest /= 1024;
        unit = Some(name);
    }
    match unit {
        None => format!("{bytes} B"),
        Some(unit) if rest < 10 && tenths > 0 => format!("{rest}.{tenths} {unit}"),
        Some(unit) => format!("{rest} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::byte_size;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (20 * 1024 * 1024 + 5, "20 MiB"),
            (1024 * 1024 - 1, "1023 KiB"),
            (u64::MAX, "15 EiB"),
        ] {
            assert_eq!(byte_size(bytes), text);
        }
    }
}
