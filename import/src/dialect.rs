//! Pure: the dialects that are known, with their rules. What a program was not seen to do is refused.

use super::dialect_hosted::hosted;
use super::rules::{
    Counted, DayRule, EqualEnds, Gap, Layout, ListedStar, Lists, Macros, Names, OpenStep, Overlap, Quirk, Rules, Star,
    USUAL, Week, WeekLast, WideStep, Wrap,
};

/// The version of `jenkins` that is the timer of a job, and not the class that forecasts its times.
pub(crate) const JENKINS_TIMER: &str = "timer";

/// The rules of a dialect; none if it is not known.
pub(crate) fn rules(dialect: &str, version: &str) -> Option<Rules> {
    let rules = crontab(dialect).or_else(|| robfig(dialect)).or_else(|| go(dialect)).or_else(|| java(dialect, version));
    rules
        .or_else(|| javascript(dialect))
        .or_else(|| python(dialect))
        .or_else(|| hosted(dialect))
        .or_else(|| other(dialect))
}

/// The daemons that read crontab files.
fn crontab(dialect: &str) -> Option<Rules> {
    Some(match dialect {
        "vixie" | "vixie-cron" | "cronie" => Rules {
            wrap: Wrap::Empty,
            open_step: OpenStep::Refused,
            days: DayRule::Or(Star::Prefix),
            gap: Gap::ByStar,
            overlap: Overlap::ByStar,
            ..USUAL
        },
        "busybox" | "busybox-crond" => Rules {
            week: Week::SundayIsZero,
            wrap: Wrap::Wraps,
            open_step: OpenStep::Only,
            first_day: 0,
            days: DayRule::Or(Star::Values),
            macros: Macros::None,
            gap: Gap::Skip,
            overlap: Overlap::Both,
            ..USUAL
        },
        "dcron" => Rules {
            week: Week::SundayIsZero,
            wrap: Wrap::Wraps,
            open_step: OpenStep::Only,
            first_day: 0,
            days: DayRule::Broken,
            macros: Macros::None,
            ..USUAL
        },
        "bcron" => {
            Rules { open_step: OpenStep::Only, days: DayRule::And, gap: Gap::Shift, macros: Macros::None, ..USUAL }
        }
        "fcron" => Rules {
            wrap: Wrap::Wraps,
            open_step: OpenStep::Refused,
            first_day: 0,
            days: DayRule::And,
            macros: Macros::None,
            gap: Gap::Shift,
            ..USUAL
        },
        "mcron" => Rules {
            wrap: Wrap::Broken,
            open_step: OpenStep::Only,
            macros: Macros::None,
            gap: Gap::Shift,
            quirk: Quirk::MonthsAreShifted,
            ..USUAL
        },
        _ => return None,
    })
}

/// robfig/cron and what descends from it.
fn robfig(dialect: &str) -> Option<Rules> {
    let usual = Rules {
        week: Week::SundayIsZero,
        question: true,
        days: DayRule::Or(Star::Part),
        gap: Gap::Skip,
        overlap: Overlap::Both,
        quirk: Quirk::LosesDays,
        ..USUAL
    };
    Some(match dialect {
        "kubernetes" | "robfig" => usual,
        "dkron" => Rules { layout: Layout::Second, ..usual },
        "netresearch-go-cron" => Rules {
            week: Week::SundayIsZeroAndSeven,
            days: DayRule::And,
            wrap: Wrap::Wraps,
            gap: Gap::ShiftFirstOfHour,
            wide_step: WideStep::Refused,
            quirk: Quirk::LosesDaysAndMidnight,
            ..usual
        },
        _ => return None,
    })
}

fn go(dialect: &str) -> Option<Rules> {
    Some(match dialect {
        "go-quartz" => Rules {
            layout: Layout::SecondAndYear,
            week: Week::SundayIsOne,
            question: true,
            days: DayRule::Single,
            counted: Counted {
                nth: true,
                last: true,
                last_named: true,
                week_last: WeekLast::LastSaturday,
                ..Counted::NONE
            },
            listed_star: ListedStar::Broken,
            gap: Gap::ShiftFirstInTheEast,
            overlap: Overlap::LastInTheEast,
            quirk: Quirk::DaysRunOver,
            macros: Macros::NoMidnight,
            wide_step: WideStep::Refused,
            ..USUAL
        },
        "gronx" => Rules {
            layout: Layout::FiveOrYear,
            question: true,
            days: DayRule::Or(Star::Prefix),
            counted: Counted { before_last: false, last_weekday: false, ..Counted::ALL },
            wide_step: WideStep::Refused,
            gap: Gap::Skip,
            overlap: Overlap::LastInTheEastOrOneMinute,
            macros: Macros::NoMidnight,
            ..USUAL
        },
        "nomad" | "nomad-cronexpr" => Rules {
            layout: Layout::FiveOrYear,
            week: Week::SundayIsLostInRanges,
            names: Names::Long,
            question: true,
            wide_step: WideStep::Refused,
            counted: Counted { before_last: false, ..Counted::ALL },
            gap: Gap::Skip,
            overlap: Overlap::Both,
            days: DayRule::Or(Star::Listed),
            macros: Macros::NoMidnight,
            quirk: Quirk::LosesDays,
            ..USUAL
        },
        "temporal" => {
            Rules { layout: Layout::FiveOrYear, week: Week::SundayIsZero, days: DayRule::And, gap: Gap::Skip, ..USUAL }
        }
        _ => return None,
    })
}

fn java(dialect: &str, version: &str) -> Option<Rules> {
    let quartz = Rules {
        layout: Layout::SecondAndYear,
        week: Week::SundayIsOne,
        names: Names::Long,
        question: true,
        wrap: Wrap::Wraps,
        wide_step: WideStep::Refused,
        days: DayRule::Single,
        counted: Counted { week_last: WeekLast::Saturday, lists: Lists::All, ..Counted::ALL },
        macros: Macros::None,
        gap: Gap::Skip,
        overlap: Overlap::Last,
        ..USUAL
    };
    Some(match dialect {
        // Version 2.5.0 reads L as 31.
        "quartz-2.5.0" => Rules { counted: Counted { last: false, before_last: false, ..quartz.counted }, ..quartz },
        "quartz" if version.ends_with("2.5.0") => {
            Rules { counted: Counted { last: false, before_last: false, ..quartz.counted }, ..quartz }
        }
        "quartz" => quartz,
        "cron-utils-quartz" => Rules { wrap: Wrap::FirstOnly, overlap: Overlap::Unknown, ..quartz },
        "cron-utils-unix" => Rules { wide_step: WideStep::Refused, macros: Macros::None, ..USUAL },
        "spring" => Rules {
            layout: Layout::Second,
            names: Names::Short,
            question: true,
            days: DayRule::And,
            counted: Counted::ALL,
            overlap: Overlap::Both,
            wide_step: WideStep::Refused,
            ..USUAL
        },
        "jenkins" => Rules {
            names: Names::None,
            open_step: OpenStep::Refused,
            days: DayRule::And,
            macros: Macros::Jenkins,
            // Its timers look at every minute that there is. The next times that it computes for people are not the same there.
            gap: if version == JENKINS_TIMER { Gap::Skip } else { Gap::Unknown },
            overlap: if version == JENKINS_TIMER { Overlap::Both } else { Overlap::Unknown },
            ..USUAL
        },
        _ => return None,
    })
}

fn javascript(dialect: &str) -> Option<Rules> {
    let counted = Counted { last: true, last_named: true, nth: true, lists: Lists::All, ..Counted::NONE };
    let usual = Rules { layout: Layout::FiveOrSecond, question: true, wide_step: WideStep::Refused, ..USUAL };
    Some(match dialect {
        "js-cron" => Rules {
            question: false,
            days: DayRule::Or(Star::Values),
            listed_star: ListedStar::Broken,
            quirk: Quirk::UnreliableNearChanges,
            ..usual
        },
        "js-cron-parser" => Rules {
            wide_step: WideStep::First,
            macros: Macros::NoMidnight,
            listed_star: ListedStar::Broken,
            counted: Counted { lists: Lists::OfMonthDays, ..counted },
            gap: Gap::Shift,
            overlap: Overlap::ByHours,
            quirk: Quirk::LosesPartialHours,
            ..usual
        },
        "js-cron-schedule" => Rules {
            question: false,
            macros: Macros::NoMidnight,
            open_step: OpenStep::Only,
            wide_step: WideStep::First,
            days: DayRule::Or(Star::Values),
            ..usual
        },
        "js-croner" | "rust-croner" => Rules {
            open_step: OpenStep::Refused,
            listed_star: if dialect == "js-croner" { ListedStar::All } else { ListedStar::Broken },
            counted: Counted { nearest: true, last_weekday: true, ..counted },
            gap: if dialect == "js-croner" { Gap::AfterIfSingle } else { Gap::SkipsSteps },
            overlap: if dialect == "js-croner" { Overlap::FirstIfSingle } else { Overlap::Unknown },
            ..usual
        },
        "js-cronosjs" => Rules {
            wrap: Wrap::WrapsTimes,
            wide_step: WideStep::First,
            days: DayRule::Or(Star::Part),
            listed_star: ListedStar::Broken,
            counted: Counted { nearest: true, last_weekday: true, ..counted },
            gap: Gap::RunAfter,
            overlap: Overlap::First,
            ..usual
        },
        "js-node-cron" => Rules { days: DayRule::And, wrap: Wrap::Wraps, counted, ..usual },
        _ => return None,
    })
}

fn python(dialect: &str) -> Option<Rules> {
    Some(match dialect {
        "apscheduler" => Rules {
            week: Week::MondayIsZero,
            days: DayRule::And,
            wide_step: WideStep::Refused,
            macros: Macros::None,
            gap: Gap::ShiftFirst,
            overlap: Overlap::Both,
            quirk: Quirk::LosesHoursAfterMidnight,
            ..USUAL
        },
        "celery" => Rules {
            week: Week::SundayIsZero,
            names: Names::Prefix,
            wrap: Wrap::Wraps,
            open_step: OpenStep::Refused,
            days: DayRule::And,
            macros: Macros::None,
            ..USUAL
        },
        "cron-converter" => Rules {
            open_step: OpenStep::Only,
            wide_step: WideStep::Refused,
            days: DayRule::Broken,
            macros: Macros::None,
            ..USUAL
        },
        "croniter" => Rules {
            layout: Layout::SecondLast,
            question: true,
            wrap: Wrap::Wraps,
            equal_ends: EqualEnds::Broken,
            days: DayRule::Or(Star::Listed),
            counted: Counted {
                last: true,
                nearest: true,
                last_before_name: true,
                nth: true,
                alone: true,
                ..Counted::NONE
            },
            gap: Gap::AfterIfFixedHours,
            overlap: Overlap::Both,
            ..USUAL
        },
        "cronsim" => Rules {
            layout: Layout::FiveOrSecond,
            days: DayRule::Or(Star::Prefix),
            macros: Macros::None,
            counted: Counted {
                last: true,
                last_weekday: true,
                last_named: true,
                nth: true,
                lists: Lists::All,
                ..Counted::NONE
            },
            gap: Gap::ByStar,
            overlap: Overlap::ByStar,
            quirk: Quirk::UnreliableAtMidnight,
            ..USUAL
        },
        _ => return None,
    })
}

fn other(dialect: &str) -> Option<Rules> {
    Some(match dialect {
        "fugit" => Rules {
            layout: Layout::FiveOrSecond,
            wrap: Wrap::Wraps,
            wide_step: WideStep::Refused,
            listed_star: ListedStar::Broken,
            counted: Counted { last: true, nth: true, ..Counted::NONE },
            gap: Gap::Skip,
            ..USUAL
        },
        "php-cron-expression" | "php" => Rules {
            question: true,
            wide_step: WideStep::Broken,
            counted: Counted { last: true, nearest: true, last_named: true, nth: true, ..Counted::NONE },
            quirk: Quirk::UnreliableNearChanges,
            ..USUAL
        },
        "rust-cron" => Rules {
            layout: Layout::SecondAndYear,
            week: Week::SundayIsOne,
            names: Names::Long,
            question: true,
            wide_step: WideStep::Refused,
            days: DayRule::And,
            macros: Macros::NoMidnight,
            ..USUAL
        },
        "rust-cron-parser" => Rules {
            week: Week::SundayIsZero,
            listed_star: ListedStar::Broken,
            names: Names::None,
            days: DayRule::And,
            wide_step: WideStep::Refused,
            macros: Macros::None,
            ..USUAL
        },
        // It loses months with L.
        "rust-cronexpr" => Rules {
            days: DayRule::Or(Star::Prefix),
            wide_step: WideStep::Refused,
            macros: Macros::None,
            overlap: Overlap::Both,
            ..USUAL
        },
        "saffron" => Rules {
            week: Week::SundayIsOne,
            listed_star: ListedStar::Broken,
            wrap: Wrap::Broken,
            wide_step: WideStep::Refused,
            counted: Counted::ALL,
            macros: Macros::None,
            ..USUAL
        },
        _ => return None,
    })
}
