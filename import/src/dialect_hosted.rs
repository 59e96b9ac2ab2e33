//! Pure: the dialects of hosted services, by what their manuals say.

use super::rules::{Counted, DayRule, Gap, Layout, ListedStar, Macros, Overlap, Quirk, Rules, USUAL, Week, WideStep};

/// The rules of a dialect; none if it is not one of these.
pub(crate) fn hosted(dialect: &str) -> Option<Rules> {
    aws(dialect).or_else(|| github(dialect))
}

/// EventBridge, and libraries that read its expressions.
fn aws(dialect: &str) -> Option<Rules> {
    Some(match dialect {
        "aws-js" | "aws-pyawscron" | "eventbridge" => Rules {
            layout: Layout::Year,
            week: Week::SundayIsOne,
            question: true,
            wide_step: WideStep::Refused,
            days: DayRule::Single,
            counted: Counted { before_last: false, last_weekday: false, ..Counted::ALL },
            macros: Macros::None,
            quirk: if dialect == "aws-pyawscron" { Quirk::DaysRunOver } else { Quirk::None },
            // As its manual says of the program itself; of the libraries it is not known.
            gap: if dialect == "eventbridge" { Gap::Skip } else { Gap::Unknown },
            overlap: if dialect == "eventbridge" { Overlap::FirstIfFixedHours } else { Overlap::Unknown },
            ..USUAL
        },
        _ => return None,
    })
}

/// GitHub Actions, as its manual describes it.
fn github(dialect: &str) -> Option<Rules> {
    (dialect == "github").then_some(Rules {
        week: Week::SundayIsZero,
        listed_star: ListedStar::Broken,
        wide_step: WideStep::Refused,
        days: DayRule::OrUnlessStarred,
        macros: Macros::None,
        gap: Gap::AfterIfSingleOrUnknown,
        ..USUAL
    })
}
