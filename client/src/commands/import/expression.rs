//! `windlass import expression`: what one expression of another program means here.

use chrono::SecondsFormat;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use windlass_import::{DIALECTS, Given, Translation, translate};
use windlass_schedule::parse_timezone;

use super::settings::of_schedule;
use super::zone::zone;
use crate::failure::{Failure, Result};
use crate::screen::{Cell, Screen, Tone};

/// How many of the next times are shown.
const SHOWN: usize = 5;

#[derive(Args)]
pub(crate) struct Expression {
    /// The expression, as the program has it.
    text: String,
    /// The program or its library.
    #[arg(long, value_parser = PossibleValuesParser::new(DIALECTS))]
    dialect: String,
    /// The time zone in which the program reads it, such as Europe/Paris; by default that of this machine.
    #[arg(long)]
    time_zone: Option<String>,
    /// The full name of the job, from which Jenkins derives the values of H.
    #[arg(long)]
    job: Option<String>,
}

impl Expression {
    /// Says what it means, or why it cannot be translated.
    pub(super) fn run(&self, screen: &mut Screen) -> Result<()> {
        let zone = zone(self.time_zone.as_deref())?;
        let given = Given {
            dialect: &self.dialect,
            expression: &self.text,
            zone: &zone,
            job: self.job.as_deref(),
            ..Given::default()
        };
        let found = translate(&given).map_err(|refusal| Failure::Unsuccessful(refusal.to_string()))?;
        let next = next_times(&found, screen)?;
        let settings = of_schedule(found.day_match, found.clock_changes);
        if screen.is_raw() {
            return screen.raw(&json!({
                "scheduled_at": found.text(), "timezone": found.zone, "settings": settings, "notes": found.notes,
                "next": next,
            }));
        }
        let row = |what: &str, value: String| vec![Cell::new(what, Tone::Soft), value.into()];
        let mut rows = vec![row("schedule", found.text()), row("time zone", found.zone.clone())];
        rows.extend(settings.iter().map(|(key, value)| {
            row("setting", format!("{key}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        }));
        rows.extend(found.notes.iter().map(|note| row("note", note.clone())));
        rows.extend(next.into_iter().map(|time| row("next", time)));
        screen.table(&["what", "value"], &rows);
        Ok(())
    }
}

/// The next times by the wall clock of its zone.
fn next_times(found: &Translation, screen: &Screen) -> Result<Vec<String>> {
    let refused = |refused: windlass_schedule::ParseError| Failure::Refused(refused.0);
    let (schedule, zone) = (found.schedule().map_err(refused)?, parse_timezone(&found.zone).map_err(refused)?);
    let next = |after| schedule.next_by(after, &zone, found.clock_changes);
    let all = std::iter::successors(next(screen.now()), |time| next(*time)).take(SHOWN);
    Ok(all.map(|time| time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)).collect())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::Expression;
    use crate::options::Format;
    use crate::screen::Screen;

    fn said(text: &str, dialect: &str, format: Format) -> Result<String, String> {
        let now = DateTime::parse_from_rfc3339("2027-05-01T00:00:00Z").unwrap().to_utc();
        let mut screen = Screen::of(format, false, now);
        let given = Expression {
            text: text.into(),
            dialect: dialect.into(),
            time_zone: Some("Europe/Madrid".into()),
            job: Some("folder/job".into()),
        };
        given.run(&mut screen).map_err(|failure| failure.to_string())?;
        Ok(screen.written().to_owned())
    }

    #[test]
    fn an_expression_is_explained_or_refused() {
        let told = said("0 15 6 1-7 * 1", "spring", Format::Table).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            lines[..3],
            ["schedule\t15 6 1-7 * 1", "time zone\tEurope/Madrid", "setting\tcronjob.day_match: and"]
        );
        assert_eq!(lines.last(), Some(&"next\t2027-09-06T06:15:00+02:00"));
        assert_eq!(told.matches("next\t").count(), 5, "{told}");
        let json: serde_json::Value =
            serde_json::from_str(&said("H 12 * * *", "jenkins", Format::Json).unwrap()).unwrap();
        assert_eq!(
            (&json["scheduled_at"], &json["next"][0]),
            (&"16 12 * * *".into(), &"2027-05-01T12:16:00+02:00".into())
        );
        assert!(said("30 0 6 * * *", "spring", Format::Table).unwrap_err().contains("resolution of one minute"));
    }
}
