//! Pure: how an outcome looks.

use entity::run::RunState;
use maud::{Markup, html};

/// What a mark in a picture stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shade {
    Planned,
    Skipped,
    Ok,
    Cancelled,
    Queued,
    Running,
    /// Drawn last, so that nothing hides it.
    Failed,
}

impl Shade {
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Failed, Self::Running, Self::Queued, Self::Cancelled, Self::Skipped, Self::Planned];

    /// How a run in this state looks.
    #[must_use]
    pub fn of(state: RunState) -> Self {
        match state {
            RunState::Queued => Self::Queued,
            RunState::Running => Self::Running,
            RunState::Succeeded => Self::Ok,
            RunState::Failed => Self::Failed,
            RunState::Cancelled => Self::Cancelled,
        }
    }

    /// The class of the style sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Planned => "planned",
        }
    }

    /// The word for it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "succeeded",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Planned => "planned",
        }
    }
}

/// A mark of this size, with its left upper corner at (x, y). The shapes differ: a failure has a cut across it, a cancelled run is in
/// two halves, a running one ends in a point, a queued one is round, a skipped time points down, and a planned one is hollow.
pub(super) fn mark(shade: Shade, (x, y): (f64, f64), (width, height): (f64, f64)) -> Markup {
    let (class, right, bottom) = (shade.class(), x + width, y + height);
    let middle = y + height / 2.0;
    let path = match shade {
        Shade::Ok | Shade::Planned => {
            return html! {
                rect class=(class) x=(short(x)) y=(short(y)) width=(short(width)) height=(short(height)) {}
            };
        }
        Shade::Failed => {
            let cut = (height / 4.0).min(2.0);
            [
                polygon(&[(x, y), (right, y), (right, middle - cut), (x, middle)]),
                polygon(&[(x, middle + cut), (right, middle), (right, bottom), (x, bottom)]),
            ]
            .concat()
        }
        Shade::Cancelled => {
            let gap = (height / 8.0).min(1.5);
            [
                polygon(&[(x, y), (right, y), (right, middle - gap), (x, middle - gap)]),
                polygon(&[(x, middle + gap), (right, middle + gap), (right, bottom), (x, bottom)]),
            ]
            .concat()
        }
        Shade::Running => {
            let point = (right - height / 3.0).max(x);
            polygon(&[(x, y), (point, y), (right, middle), (point, bottom), (x, bottom)])
        }
        Shade::Queued => {
            let round = (width.min(height) / 2.0).min(4.0);
            return html! {
                rect class=(class) x=(short(x)) y=(short(y)) width=(short(width)) height=(short(height)) rx=(short(round)) {}
            };
        }
        Shade::Skipped => {
            let slope = (width / 2.0).min(height / 2.0);
            polygon(&[(x, y), (right, y), (right - slope, bottom), (x + slope, bottom)])
        }
    };
    html! { path class=(class) d=(path) {} }
}

fn polygon(points: &[(f64, f64)]) -> String {
    let corner = |(x, y): &(f64, f64)| format!("{} {}", short(*x), short(*y));
    format!("M{}Z", points.iter().map(corner).collect::<Vec<_>>().join("L"))
}

/// A number with one decimal place at most.
pub(super) fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// What the shapes and colors mean.
#[must_use]
pub fn legend(shades: &[Shade]) -> Markup {
    html! {
        ul.legend aria-label="Legend" {
            @for shade in shades {
                li {
                    svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" { (mark(*shade, (1.0, 1.0), (12.0, 12.0))) }
                    (shade.label())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn outcomes_differ_without_their_colors() {
        let shape = |shade: Shade| {
            let markup = mark(shade, (0.0, 0.0), (10.0, 20.0)).into_string();
            markup.replace(&format!("class=\"{}\"", shade.class()), "")
        };
        let shapes: HashSet<String> =
            Shade::ALL.into_iter().filter(|shade| *shade != Shade::Planned).map(shape).collect();
        assert_eq!(shapes.len(), 6, "{shapes:?}");
        assert_eq!(Shade::ALL.map(Shade::label).iter().collect::<HashSet<_>>().len(), 7);
        let state = |state| Shade::of(state).label();
        assert_eq!(state(RunState::Succeeded), "succeeded");
        assert_eq!(state(RunState::Cancelled), "cancelled");
        assert_eq!(legend(&Shade::ALL).into_string().matches("<li>").count(), 7);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([1.0, 1.25, 0.04, -0.5].map(short), ["1", "1.2", "0", "-0.5"]);
    }
}
