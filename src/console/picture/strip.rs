//! Pure: the newest runs of a job as a strip of bars, as high as the runs were long.

use maud::{Markup, html};

use super::scale::{millis, number};
use super::shade::{Shade, mark};

const WIDTH: f64 = 6.0;
const STEP: f64 = 8.0;
const HEIGHT: f64 = 24.0;
const LOWEST: f64 = 5.0;

/// A run.
#[derive(Clone, Debug)]
pub struct StripBar {
    pub shade: Shade,
    pub milliseconds: Option<u64>,
    /// What the bar stands for, in words.
    pub title: String,
    pub href: String,
}

/// The bars, oldest first. `of` is the name of the job. The bars are links for the pointer; by keyboard, the same runs are reached
/// on the page of the job, so that a list of jobs does not have thirty stops for each.
#[must_use]
pub fn strip(bars: &[StripBar], of: &str) -> Markup {
    let longest = bars.iter().filter_map(|bar| bar.milliseconds).max().unwrap_or(0);
    let width = number(bars.len()) * STEP;
    html! {
        svg.strip role="group" width=(width) height=(HEIGHT) viewBox={ "0 0 " (width) " " (HEIGHT) } aria-label=(summary(bars, of)) {
            @for (place, bar) in bars.iter().enumerate() {
                @let height = height(bar.milliseconds, longest);
                a href=(bar.href) tabindex="-1" {
                    title { (bar.title) }
                    (mark(bar.shade, (number(place) * STEP, HEIGHT - height), (WIDTH, height)))
                }
            }
        }
    }
}

/// By the square root, so that short runs are seen beside long ones.
fn height(milliseconds: Option<u64>, longest: u64) -> f64 {
    let share = match milliseconds {
        Some(milliseconds) if longest > 0 => (millis(milliseconds) / millis(longest)).sqrt(),
        _ => 0.0,
    };
    LOWEST + (HEIGHT - LOWEST) * share
}

fn summary(bars: &[StripBar], of: &str) -> String {
    if bars.is_empty() {
        return format!("{of}: no runs yet");
    }
    let counts = Shade::ALL.into_iter().filter_map(|shade| {
        let count = bars.iter().filter(|bar| bar.shade == shade).count();
        (count > 0).then(|| format!("{count} {}", shade.label()))
    });
    format!("{of}, last {} runs: {}", bars.len(), counts.collect::<Vec<_>>().join(", "))
}

/// The same runs as a table, newest first.
#[must_use]
pub fn table(bars: &[StripBar], of: &str) -> Markup {
    html! {
        table {
            caption { "The last runs of " (of) }
            thead { tr { th scope="col" { "Outcome" } th scope="col" { "Run" } } }
            tbody {
                @for bar in bars.iter().rev() {
                    tr { td { span.state.(bar.shade.class()) { (bar.shade.label()) } } td { a href=(bar.href) { (bar.title) } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(shade: Shade, milliseconds: Option<u64>) -> StripBar {
        StripBar { shade, milliseconds, title: "#1 <b>".into(), href: "/run/1\"".into() }
    }

    #[test]
    fn heights_and_labels() {
        let bars = [bar(Shade::Ok, Some(100)), bar(Shade::Failed, Some(25)), bar(Shade::Queued, None)];
        let markup = strip(&bars, "nightly <x>").into_string();
        assert!(markup.contains("nightly &lt;x&gt;, last 3 runs: 1 succeeded, 1 failed, 1 queued"), "{markup}");
        assert!(
            markup.contains("#1 &lt;b&gt;") && markup.contains("/run/1&quot;") && !markup.contains("style="),
            "{markup}"
        );
        assert_eq!([height(Some(100), 100), height(Some(25), 100), height(None, 100)], [24.0, 14.5, 5.0]);
        assert_eq!(height(Some(0), 0), 5.0);
        assert!(strip(&[], "new").into_string().contains("new: no runs yet"));
        assert_eq!(table(&bars, "nightly").into_string().matches("<tr>").count(), 4);
    }

    /// Fifty jobs with thirty runs each.
    #[test]
    fn strips_are_small() {
        let bars: Vec<StripBar> = (0..30).map(|_| bar(Shade::Failed, Some(100))).collect();
        let size = strip(&bars, "nightly").into_string().len();
        assert!(size < 6500, "{size}");
    }
}
