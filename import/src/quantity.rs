//! Pure: amounts as Kubernetes writes them, such as `500m`, `1.5`, `64Mi` or `1e9`.

/// What the endings of amounts stand for.
const UNITS: [(&str, f64); 14] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// An amount of processors, in thousandths of a core.
pub(crate) fn cpu_milli(text: &str) -> Option<u32> {
    whole(amount(text)? * 1000.0)
}

/// An amount of memory, in MiB.
pub(crate) fn memory_mib(text: &str) -> Option<u32> {
    whole(amount(text)? / 1_048_576.0)
}

fn amount(text: &str) -> Option<f64> {
    let (number, factor) = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(*unit)?, *factor)))?;
    let is_plain = number.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    number.parse::<f64>().ok().filter(|_| is_plain).map(|number| number * factor)
}

/// The next whole number. What is computed with fractions may be a hair above it.
fn whole(number: f64) -> Option<u32> {
    format!("{:.0}", (number - 1e-6).ceil()).parse().ok().filter(|whole| *whole > 0)
}

#[cfg(test)]
mod tests {
    use super::{cpu_milli, memory_mib};

    #[test]
    fn amounts_are_read_in_every_form() {
        for (text, expected) in [
            ("500m", Some(500)),
            ("1", Some(1000)),
            ("1.5", Some(1500)),
            (".25", Some(250)),
            ("0.1", Some(100)),
            ("2k", Some(2_000_000)),
            ("100u", Some(1)),
            ("0", None),
            ("-1", None),
            ("inf", None),
            ("many", None),
            ("", None),
        ] {
            assert_eq!(cpu_milli(text), expected, "{text}");
        }
        for (text, expected) in [
            ("64Mi", Some(64)),
            ("1Gi", Some(1024)),
            ("1.5Gi", Some(1536)),
            ("128M", Some(123)),
            ("134217728", Some(128)),
            ("1e9", Some(954)),
            ("512Ki", Some(1)),
            ("1 Gi", None),
        ] {
            assert_eq!(memory_mib(text), expected, "{text}");
        }
    }
}
