//! Pure: what distinguishes one dialect of cron from another.

/// The rules of a dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) layout: Layout,
    pub(crate) week: Week,
    pub(crate) names: Names,
    /// `?` stands for any day.
    pub(crate) question: bool,
    pub(crate) wrap: Wrap,
    pub(crate) open_step: OpenStep,
    pub(crate) wide_step: WideStep,
    /// The first day that `*/n` counts from.
    pub(crate) first_day: u32,
    pub(crate) days: DayRule,
    /// What a star in a list beside other values means, in a day field.
    pub(crate) listed_star: ListedStar,
    pub(crate) equal_ends: EqualEnds,
    pub(crate) counted: Counted,
    pub(crate) macros: Macros,
    pub(crate) gap: Gap,
    pub(crate) overlap: Overlap,
    pub(crate) quirk: Quirk,
}

/// Which fields there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Five,
    /// A second first if there are six.
    FiveOrSecond,
    /// A second first.
    Second,
    /// A second first, and a year that may be left out.
    SecondAndYear,
    /// A year last.
    Year,
    /// A year last if there are six, and a second first if there are seven.
    FiveOrYear,
    /// A second last if there are six.
    SecondLast,
}

/// How days of the week are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Week {
    /// 0 is Sunday, and 7 is not a day.
    SundayIsZero,
    /// 0 and 7 are Sunday.
    SundayIsZeroAndSeven,
    /// 7 alone is Sunday, and is lost at the end of a range.
    SundayIsLostInRanges,
    SundayIsOne,
    MondayIsZero,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    None,
    /// By three letters.
    Short,
    /// By three letters or in full.
    Long,
    /// By their first three letters, whatever follows.
    Prefix,
}

/// What a range means that ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrap {
    Wraps,
    /// Except days of the month.
    WrapsTimes,
    Refused,
    /// Only its first value, in minutes and hours.
    FirstOnly,
    /// It is taken and has no value.
    Empty,
    /// It is taken, and its values are not those of any rule.
    Broken,
}

/// What `5/15` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenStep {
    ToEnd,
    Only,
    Refused,
}

/// What a step means that is larger than its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WideStep {
    First,
    Refused,
    /// It is taken, and its values are not those of any rule.
    Broken,
}

/// Which days match if both day fields are restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayRule {
    And,
    Or(Star),
    /// Either, but what a day field that begins with a star means beside the other one is not known.
    OrUnlessStarred,
    /// One of them has to be `?` or `*`.
    Single,
    Broken,
}

/// Which day field is not restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Star {
    /// One that is `*`.
    Exact,
    /// One that begins with `*`.
    Prefix,
    /// One with a part that is `*` without a step above 1.
    Part,
    /// One with a part that is `*`.
    Listed,
    /// One that has all values.
    Values,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListedStar {
    All,
    Broken,
}

/// What a range means whose ends are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EqualEnds {
    One,
    /// It has all values.
    Broken,
}

/// Which days can be counted from the end of the month, or within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// `L`.
    pub(crate) last: bool,
    /// `L-3`.
    pub(crate) before_last: bool,
    /// `15W`.
    pub(crate) nearest: bool,
    /// `LW`.
    pub(crate) last_weekday: bool,
    /// `5L`.
    pub(crate) last_named: bool,
    /// `5#2`.
    pub(crate) nth: bool,
    /// They can be parts of lists.
    pub(crate) lists: Lists,
    /// They need a star in the other day field.
    pub(crate) alone: bool,
    /// `L5` is the last Friday.
    pub(crate) last_before_name: bool,
    /// What `L` alone means as a day of the week.
    pub(crate) week_last: WeekLast,
}

/// Which lists may contain days that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    None,
    OfMonthDays,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WeekLast {
    Refused,
    Saturday,
    LastSaturday,
}

impl Counted {
    pub(crate) const NONE: Self = Self {
        last: false,
        before_last: false,
        nearest: false,
        last_weekday: false,
        last_named: false,
        nth: false,
        lists: Lists::None,
        alone: false,
        last_before_name: false,
        week_last: WeekLast::Refused,
    };
    pub(crate) const ALL: Self = Self {
        last: true,
        before_last: true,
        nearest: true,
        last_weekday: true,
        last_named: true,
        nth: true,
        lists: Lists::None,
        alone: false,
        last_before_name: false,
        week_last: WeekLast::Refused,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Macros {
    None,
    Usual,
    /// Without `@midnight`.
    NoMidnight,
    /// With hashed values.
    Jenkins,
}

/// What becomes of a time that the clocks skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    Skip,
    /// The first instant after the gap.
    RunAfter,
    /// It runs as much later as the clocks are set forward.
    Shift,
    /// The first time of a gap runs as much later, and the others do not run.
    ShiftFirst,
    /// As `ShiftFirst` if there is one hour, and left out if the hours are a star.
    ShiftFirstOfHour,
    /// As `ShiftFirst` in zones ahead of UTC.
    ShiftFirstInTheEast,
    /// The first instant after the gap, unless the hours are a star.
    AfterIfFixedHours,
    /// The first instant after the gap, if minute and hour are one number each.
    AfterIfSingle,
    /// The first instant after the gap, if minute and hour are one number each; others are not known.
    AfterIfSingleOrUnknown,
    /// Minutes or hours that begin with a star: `Skip`; others: `RunAfter`.
    ByStar,
    /// Hours that are fixed, with minutes that are a star or a step: `Skip`.
    SkipsSteps,
    Unknown,
}

/// Which occurrence runs of a time that comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlap {
    First,
    Last,
    Both,
    /// The last one in zones ahead of UTC, and the first one behind.
    LastInTheEast,
    /// As `LastInTheEast`, but behind UTC only if there is one minute.
    LastInTheEastOrOneMinute,
    /// Both, if the hours are a star, and the first one if they are fixed.
    ByHours,
    /// The first one, if the hours are fixed; others are not known.
    FirstIfFixedHours,
    /// The first one, if minute and hour are one number each.
    FirstIfSingle,
    /// Minutes or hours that begin with a star: `Both`; others: `First`.
    ByStar,
    Unknown,
}

/// What else a dialect does with times and days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    /// Days, and times near changes by less than an hour, are lost as in robfig/cron.
    LosesDays,
    /// As `LosesDays`, and times at a midnight that the clocks skip are not shifted.
    LosesDaysAndMidnight,
    /// Times just after midnight are lost when the clocks have gone forward.
    LosesHoursAfterMidnight,
    /// Times near changes by less than an hour are lost.
    LosesPartialHours,
    /// Times within hours of a change of the clocks are moved, lost or run twice.
    UnreliableNearChanges,
    /// Times near a midnight that the clocks skip are moved.
    UnreliableAtMidnight,
    /// Days that a month does not have become days of the next one.
    DaysRunOver,
    /// Months are read as the next ones.
    MonthsAreShifted,
}

/// What most dialects have in common.
pub(crate) const USUAL: Rules = Rules {
    layout: Layout::Five,
    week: Week::SundayIsZeroAndSeven,
    names: Names::Short,
    question: false,
    wrap: Wrap::Refused,
    open_step: OpenStep::ToEnd,
    wide_step: WideStep::First,
    first_day: 1,
    days: DayRule::Or(Star::Exact),
    listed_star: ListedStar::All,
    equal_ends: EqualEnds::One,
    counted: Counted::NONE,
    macros: Macros::Usual,
    gap: Gap::Unknown,
    overlap: Overlap::Unknown,
    quirk: Quirk::None,
};
