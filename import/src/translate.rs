//! Pure: translates a schedule by the rules of the program that it comes from.

use windlass_schedule::time_zone::Zone;
use windlass_schedule::{ClockChangeRules, DayMatch, parse_timezone};

use super::clocks::Changes;
use super::dialect::rules;
use super::java_random::JavaRandom;
use super::notes::notes;
use super::reader::{Read, read};
use super::rules::{DayRule, Macros, Rules, Star};
use super::systemd_calendar;
use super::translation::{Given, Refusal, Translation};

/// The schedule that has the times which the program would have run.
///
/// # Errors
/// If our language has no such schedule, or it is not known what the program would have done.
pub fn translate(given: &Given<'_>) -> Result<Translation, Refusal> {
    let (zone_name, text) = zone_of(given);
    let zone = parse_timezone(zone_name).map_err(|refused| Refusal::new(given.dialect, zone_name, refused.0))?;
    if given.dialect == "systemd" {
        return systemd_calendar::translate(given, text, zone);
    }
    let Some(rules) = rules(given.dialect, given.version) else {
        return Err(Refusal::new(given.dialect, text, "this dialect is not known"));
    };
    let (rules, text) = options(given, rules, text)?;
    if text == AT_START && CRON_DAEMONS.contains(&given.dialect) {
        return Ok(at_start(zone));
    }
    let lines: Vec<&str> = match rules.macros {
        Macros::Jenkins => {
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
        }
        _ => vec![text],
    };
    let mut random = given.job.map(JavaRandom::of_job);
    let all = lines.into_iter().map(|line| read(given, line, &rules, &mut random)).collect::<Result<Vec<_>, _>>()?;
    joined(given, text, &all, &rules, zone)
}

/// How crontabs write that something runs at each start of the machine.
const AT_START: &str = "@reboot";

/// The programs that are started with the machine.
const CRON_DAEMONS: [&str; 5] = ["vixie", "vixie-cron", "cronie", "busybox", "busybox-crond"];

/// A schedule that runs at each start.
fn at_start(zone: Zone) -> Translation {
    let note =
        "runs at each start of the server, and not of the machine; with several servers, when the first of them starts";
    Translation {
        expressions: vec![AT_START.to_owned()],
        zone: zone.name().to_owned(),
        day_match: DayMatch::Or,
        clock_changes: ClockChangeRules::default(),
        notes: vec![note.to_owned()],
    }
}

/// The time zone and the rest of an expression that begins with one.
fn zone_of<'a>(given: &Given<'a>) -> (&'a str, &'a str) {
    let text = given.expression.trim();
    let allowed =
        matches!(given.dialect, "robfig" | "dkron" | "netresearch-go-cron" | "jenkins" | "temporal" | "mcron");
    let named = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="));
    match named.and_then(|rest| rest.split_once(char::is_whitespace)) {
        Some((zone, rest)) if allowed => (zone, rest.trim()),
        _ => (given.zone, text),
    }
}

/// What is written before or after the fields in some dialects.
fn options<'a>(given: &Given<'_>, mut rules: Rules, text: &'a str) -> Result<(Rules, &'a str), Refusal> {
    if given.dialect == "temporal" {
        return Ok((rules, text.split_once('#').map_or(text, |(before, _)| before.trim())));
    }
    if given.dialect != "fcron" || !text.starts_with(['&', '%', '@', '!']) {
        return Ok((rules, text));
    }
    let (option, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match option {
        "&dayor" => rules.days = DayRule::Or(Star::Values),
        "&dayand" | "&" => {}
        _ => return Err(Refusal::new(given.dialect, option, "options and frequencies of fcron have no equivalent")),
    }
    Ok((rules, rest.trim()))
}

/// Several expressions as one schedule.
fn joined(given: &Given<'_>, text: &str, all: &[Read], rules: &Rules, zone: Zone) -> Result<Translation, Refusal> {
    let refuse = |why: String| Refusal::new(given.dialect, text, why);
    let texts: Vec<(String, bool)> = all.iter().map(|read| read.fields.text()).collect();
    let day_match = if texts.iter().any(|(_, both)| *both) { DayMatch::And } else { DayMatch::Or };
    let mut found = Translation {
        expressions: texts.into_iter().map(|(text, _)| text).collect(),
        zone: zone.name().to_owned(),
        day_match,
        clock_changes: ClockChangeRules::default(),
        notes: Vec::new(),
    };
    if found.expressions.iter().any(|text| text.split(' ').any(str::is_empty)) {
        return Err(refuse("the program never runs it: a field has no values".into()));
    }
    let schedule = found.schedule().map_err(|refused| refuse(refused.0))?;
    for read in all {
        let rules = Changes::of(zone).rules(&refuse, rules, read, &schedule)?;
        if found.clock_changes != ClockChangeRules::default() && found.clock_changes != rules {
            return Err(refuse("its expressions follow different rules where the clocks change".into()));
        }
        found.clock_changes = rules;
    }
    found.notes = notes(given, &found, &schedule);
    Ok(found)
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
