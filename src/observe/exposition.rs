//! Pure: the two text formats of metrics, and which of them a client gets.
//!
//! `OpenMetrics` 1.0 names a counter without the suffix `_total` in its comments, and ends with `# EOF`. The classic format of
//! Prometheus (0.0.4) names it as in its samples, and has no end.

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    OpenMetrics,
    Classic,
}

impl Exposition {
    /// The one that the values of `Accept` prefer; `OpenMetrics`, if they like both alike.
    #[must_use]
    pub fn accepted<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let (mut open, mut classic, mut any) = (None, None, None);
        for value in values.flat_map(|value| value.split(',')) {
            let mut parts = value.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.filter_map(|part| part.strip_prefix("q=")).next();
            let quality = quality.map_or(1.0, |text| text.trim().parse::<f32>().unwrap_or(0.0));
            let best = match kind.as_str() {
                "application/openmetrics-text" => &mut open,
                "text/plain" | "text/*" => &mut classic,
                "*/*" => &mut any,
                _ => continue,
            };
            *best = Some(best.map_or(quality, |known: f32| known.max(quality)));
        }
        let of = |own: Option<f32>| own.or(any).unwrap_or(0.0);
        if of(classic) > of(open) { Self::Classic } else { Self::OpenMetrics }
    }

    /// Its content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Metrics in the `OpenMetrics` format, in this one.
    #[must_use]
    pub fn write(self, metrics: String) -> String {
        match self {
            Self::OpenMetrics => metrics,
            Self::Classic => classic(&metrics),
        }
    }
}

fn classic(metrics: &str) -> String {
    let mut text = String::with_capacity(metrics.len());
    let mut lines = metrics.lines().peekable();
    while let Some(line) = lines.next() {
        let name = |line: &str, word: &str| {
            line.strip_prefix(word)
                .and_then(|rest| rest.split_once(' '))
                .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        };
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        // The type follows the help of the same metric.
        if let Some((metric, help)) = name(line, "# HELP ") {
            let kind = lines.peek().and_then(|next| name(next, "# TYPE ")).filter(|(next, _)| *next == metric);
            let suffix = if kind.is_some_and(|(_, kind)| kind == "counter") { "_total" } else { "" };
            text.push_str(&format!("# HELP {metric}{suffix} {help}\n"));
        } else if let Some((metric, kind)) = name(line, "# TYPE ") {
            let suffix = if kind == "counter" { "_total" } else { "" };
            text.push_str(&format!("# TYPE {metric}{suffix} {kind}\n"));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Exposition;

    #[test]
    fn the_preferred_format_is_chosen() {
        for (accept, expected) in [
            ("", Exposition::OpenMetrics),
            ("*/*", Exposition::OpenMetrics),
            ("text/plain", Exposition::Classic),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Exposition::Classic),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
                Exposition::OpenMetrics,
            ),
            ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", Exposition::Classic),
            ("text/html, text/*;q=0.2, */*;q=0.8", Exposition::OpenMetrics),
        ] {
            assert_eq!(Exposition::accepted([accept].into_iter()), expected, "{accept}");
        }
    }

    #[test]
    fn counters_have_their_suffix_in_the_classic_format() {
        let open = "# HELP a_runs Runs\n# TYPE a_runs counter\na_runs_total{x=\"# EOF\"} 3\n# HELP b Open.\n# TYPE b gauge\nb 1\n# EOF\n";
        let classic = "# HELP a_runs_total Runs\n# TYPE a_runs_total counter\na_runs_total{x=\"# EOF\"} 3\n# HELP b Open.\n# TYPE b gauge\nb 1\n";
        assert_eq!(Exposition::Classic.write(open.to_owned()), classic);
        assert_eq!(Exposition::OpenMetrics.write(open.to_owned()), open);
    }
}
